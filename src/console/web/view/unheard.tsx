/** What an interruption left unsaid: its beginning, and all of it for those who ask. A story would bury the talk. */
import { useState } from 'preact/hooks'

/** Two lines or so. */
const SHOWN_CHARS = 120
/** A rest shorter than this is not worth a button. */
const WORTH_HIDING_CHARS = 60

export function Unheard({ text }: { readonly text: string }) {
  const [all, setAll] = useState(false)
  const short = text.length > SHOWN_CHARS + WORTH_HIDING_CHARS
  const end = short && !all ? text.lastIndexOf(' ', SHOWN_CHARS) : text.length
  const left = text.slice(end).match(/\S+/g)?.length ?? 0
  return (
    <>
      <span class="unseen"> Not heard: </span>
      <del data-testid="unheard">{text.slice(0, end)}</del>
      {short && (
        <button type="button" class="more-words" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'show less' : `${left} more words`}
        </button>
      )}
    </>
  )
}
