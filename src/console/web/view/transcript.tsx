/** The conversation so far, the newest turn kept in view unless the reader has scrolled away. */
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import type { Turn } from '../talk/turns.ts'
import { TurnView } from './turn.tsx'

/** Closer to the end than this counts as reading along. */
const NEAR_PX = 160

export function Transcript({ turns }: { readonly turns: readonly Turn[] }) {
  const following = useRef(true)
  useLayoutEffect(() => {
    const onScroll = () => {
      const { scrollHeight, clientHeight } = document.documentElement
      following.current = scrollHeight - clientHeight - scrollY < NEAR_PX
    }
    addEventListener('scroll', onScroll, { passive: true })
    return () => removeEventListener('scroll', onScroll)
  }, [])
  useLayoutEffect(() => {
    if (following.current) scrollTo(0, document.documentElement.scrollHeight)
  }, [turns])
  return (
    <div class="transcript">
      {turns.map((turn, index) => (
        <Kept
          key={turn.key}
          turn={turn}
          first={turns[index - 1]?.connection !== turn.connection && index > 0}
        />
      ))}
    </div>
  )
}

/** A turn that did not change is not drawn again: words arrive many times a second. */
function Kept({ turn, first }: { readonly turn: Turn; readonly first: boolean }) {
  return useMemo(
    () => (
      <>
        {first && <p class="anew">A new call: the server begins without what was said above.</p>}
        <TurnView turn={turn} />
      </>
    ),
    [turn, first],
  )
}
