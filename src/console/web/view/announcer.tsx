/** Tells a screen reader the final words, each once; partial words would talk over themselves. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Turn } from '../talk/turns.ts'

export function Announcer({ turns }: { readonly turns: readonly Turn[] }) {
  const told = useRef(new Set<string>())
  const [text, setText] = useState('')
  useEffect(() => {
    const news = finals(turns).filter(([id]) => !told.current.has(id))
    if (news.length === 0) return
    // Only what can still be asked for needs remembering.
    told.current = new Set(finals(turns).map(([id]) => id))
    setText(news.map(([, words]) => words).join(' '))
  }, [turns])
  return (
    <div class="unseen" aria-live="polite">
      {text}
    </div>
  )
}

function finals(turns: readonly Turn[]): (readonly [id: string, words: string])[] {
  return turns.flatMap(({ user, answers }) => [
    ...(user?.state === 'final' && !user.typed && user.text
      ? [[user.itemId, `You: ${user.text}`] as const]
      : []),
    ...answers
      .filter((answer) => answer.status !== 'in_progress' && answer.text !== '')
      .map((answer) => [answer.responseId, `Parley: ${answer.text}`] as const),
  ])
}
