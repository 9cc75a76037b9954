/** One turn: what was said, what answered and how much of it was heard, and what it took. */
import { heardChars, spokenChars } from '../talk/heard.ts'
import type { Answer, Turn } from '../talk/turns.ts'
import { waterfall } from '../timing/waterfall.ts'
import { Unheard } from './unheard.tsx'
import { WaterfallFigure } from './waterfall.tsx'

export function TurnView({ turn }: { readonly turn: Turn }) {
  const { user, report, record } = turn
  const answers = turn.answers.filter((a) => a.text !== '' || a.tools.length > 0 || a.status === 'failed')
  return (
    <article
      class="turn"
      data-testid="turn"
      aria-label={user?.text ? `Turn: ${user.text.slice(0, 60)}` : 'Turn'}
    >
      <div class="dialogue">
        {user && (
          <div class="line you">
            <h3>You</h3>
            <p data-testid="transcript-user" data-final={user.state === 'final'}>
              {user.text}
              {user.state === 'failed' && <i class="aside">not recognised</i>}
              {(user.state === 'speaking' || user.state === 'recognising') && (
                <span class="more" role="img" aria-label={user.state}>
                  <i />
                  <i />
                  <i />
                </span>
              )}
            </p>
          </div>
        )}
        {answers.map((answer) => (
          <AnswerLine key={answer.responseId} answer={answer} turn={turn} />
        ))}
      </div>
      {report && <WaterfallFigure fall={waterfall(report, record)} caption="" />}
    </article>
  )
}

function AnswerLine({ answer, turn }: { readonly answer: Answer; readonly turn: Turn }) {
  const end = heardEnd(answer, turn)
  const heard = answer.text.slice(0, end)
  const rest = answer.text.slice(end)
  return (
    <div class="line it">
      <h3>Parley</h3>
      <div>
        {answer.tools.map((name, i) => (
          <p class="aside" key={i}>
            called {name}
          </p>
        ))}
        {answer.text !== '' && (
          <p data-testid="transcript-assistant">
            <span data-testid="heard">{heard}</span>
            {answer.cutMs === null
              ? rest && <span class="ahead">{rest}</span>
              : rest && <Unheard text={rest.trim()} />}
          </p>
        )}
        {answer.cutMs !== null && (
          <p class="aside">
            interrupted after {seconds(answer.cutMs)} of {seconds(answer.receivedMs)}
          </p>
        )}
        {answer.status === 'failed' && <p class="aside bad">the answer failed</p>}
        {answer.status === 'incomplete' && <p class="aside">cut at its length limit</p>}
      </div>
    </div>
  )
}

/** The record knows best what was heard; until it is there, the sound that was played says it nearly. */
function heardEnd(answer: Answer, turn: Turn): number {
  if (answer.receivedMs === 0) return answer.text.length
  const heard = turn.record?.heard
  if (answer.cutMs !== null && heard?.interrupted) {
    const ends = heardChars(
      turn.answers.map((a) => a.text),
      heard.text,
    )
    const end = ends?.[turn.answers.indexOf(answer)]
    if (end !== undefined) return end
  }
  return spokenChars(answer.stretches, answer.text, answer.receivedMs, answer.playedMs)
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
