/** The waterfall: one line of text and one bar a row, so that nothing needs a legend. */
import { type Bar, place, type Row, type Waterfall } from '../timing/waterfall.ts'

export function WaterfallFigure({ fall, caption }: { readonly fall: Waterfall; readonly caption: string }) {
  const at = (ms: number) => `${100 * place(fall, ms)}%`
  const over = fall.firstAudioMs !== null && fall.firstAudioMs > fall.budgetMs
  return (
    <figure class={over ? 'fall over' : 'fall'} data-testid={caption === '' ? 'waterfall' : undefined}>
      <p class="sum">
        {fall.firstAudioMs === null ? (
          <span>no sound</span>
        ) : (
          <>
            <b>{ms(fall.firstAudioMs)}</b>
            <span>
              {' '}
              ms from {fall.zero} to first audio
              {over && <em>, {ms(fall.firstAudioMs - fall.budgetMs)} ms over budget</em>}
            </span>
          </>
        )}
      </p>
      <div class="plot">
        <i class="budget" style={{ left: at(fall.budgetMs) }} />
        <ol>
          {fall.rows.map((row, i) => (
            <li key={i} class={row.stage}>
              <p>
                <b>{row.label === fall.rows[i - 1]?.label ? '' : row.label}</b>
                <span class="who" title={row.who}>
                  {row.who}
                </span>
                {row.note && <span class="note">{row.note}</span>}
                <span class="when">{when(row)}</span>
              </p>
              <div class="lane" aria-hidden="true">
                <Span bar={row.bar} at={(t) => 100 * place(fall, t)} />
                {row.moments.map((moment) => (
                  <i class="tick" key={moment.name} style={{ left: at(moment.ms) }} />
                ))}
              </div>
            </li>
          ))}
        </ol>
        <div class="axis" aria-hidden="true">
          {fall.ticks
            .filter((t) => Math.abs(t - fall.budgetMs) > 0.16 * fall.toMs)
            .map((t) => (
              <span key={t} style={{ left: at(t) }}>
                {t}
              </span>
            ))}
          <span class="limit" style={{ left: at(fall.budgetMs) }}>
            budget {ms(fall.budgetMs)}
          </span>
        </div>
      </div>
      {(fall.degraded.length > 0 || fall.costUsd !== null || fall.brokenBy) && (
        <p class="foot">
          {[
            fall.brokenBy && `budget broken by ${fall.brokenBy}`,
            fall.degraded.length > 0 && `saved by ${fall.degraded.join(', ')}`,
            fall.costUsd !== null && `$${fall.costUsd.toFixed(4)}`,
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
      )}
      {caption && <figcaption>{caption}</figcaption>}
    </figure>
  )
}

/** Waiting is hollow, output is solid. */
function Span({ bar, at }: { readonly bar: Bar; readonly at: (ms: number) => number }) {
  const turnMs = bar.firstMs ?? bar.toMs
  const from = at(bar.fromMs)
  const turn = at(turnMs)
  const to = at(bar.toMs)
  return (
    <>
      <i class={`wait ${bar.fate}`} style={{ left: `${from}%`, width: `${turn - from}%` }} />
      {to > turn && <i class={`run ${bar.fate}`} style={{ left: `${turn}%`, width: `${to - turn}%` }} />}
    </>
  )
}

function when(row: Row): string {
  return row.moments.map((moment) => `${moment.name} ${ms(moment.ms)}`).join(' · ')
}

/** Thin space between thousands, as figures are set. */
function ms(value: number): string {
  return String(Math.round(value)).replace(/(\d)(?=(\d{3})+$)/g, '$1\u2009')
}
