/** The waterfall: one line of text and one bar a row, so that nothing needs a legend. */
import { type Bar, place, type Row, type Waterfall } from '../timing/waterfall.ts'

/** Labels closer than this share of the scale would touch. */
const LABEL_SHARE = 0.17
/** The one at zero is a phrase. */
const ZERO_SHARE = 0.29

export function WaterfallFigure({ fall, caption }: { readonly fall: Waterfall; readonly caption: string }) {
  const at = (ms: number) => `${100 * place(fall, ms)}%`
  const labelled = fall.ticks.filter(
    (t) => place(fall, t) > ZERO_SHARE && Math.abs(place(fall, t) - place(fall, fall.budgetMs)) > LABEL_SHARE,
  )
  return (
    <figure class="fall" data-testid={caption === '' ? 'waterfall' : undefined}>
      <Sum fall={fall} />
      <ol style={{ '--budget': at(fall.budgetMs) }}>
        {fall.rows.map((row, i) => (
          <RowLine key={i} row={row} again={row.label === fall.rows[i - 1]?.label} fall={fall} />
        ))}
      </ol>
      <div class="axis" aria-hidden="true">
        <span class="zero" style={{ left: at(0) }}>
          0 <span class="wordy">{fall.zero}</span>
        </span>
        {labelled.map((t) => (
          <span key={t} style={{ left: at(t) }}>
            {ms(t)}
          </span>
        ))}
        <span class="limit" style={{ left: at(fall.budgetMs) }}>
          budget {ms(fall.budgetMs)}
        </span>
      </div>
      <Foot fall={fall} />
      {caption && <figcaption>{caption}</figcaption>}
    </figure>
  )
}

function Sum({ fall }: { readonly fall: Waterfall }) {
  if (fall.firstAudioMs === null) return <p class="sum">no sound came of it</p>
  const left = fall.budgetMs - fall.firstAudioMs
  return (
    <p class={left < 0 ? 'sum over' : 'sum'}>
      <span>
        <b>{ms(fall.firstAudioMs)}</b> ms to first audio
      </span>
      <span class="left">
        {left < 0 ? `${ms(-left)} over budget` : `${ms(left)} to spare`}
        <span class="unseen"> of {ms(fall.budgetMs)}</span>
      </span>
    </p>
  )
}

function RowLine(props: { readonly row: Row; readonly again: boolean; readonly fall: Waterfall }) {
  const { row, again, fall } = props
  const percent = (t: number) => 100 * place(fall, t)
  return (
    <li class={row.stage}>
      <p class="row">
        {again ? <span class="stage">{row.note || 'then'}</span> : <b class="stage">{row.label}</b>}
        <span class="who" title={row.who}>
          {row.who}
          {!again && row.note && ` (${row.note})`}
        </span>
        <span class={row.fate ? 'when bad' : 'when'}>
          {row.fate || row.moments.map(({ name, ms: at }) => <Moment key={name} name={name} at={at} />)}
        </span>
      </p>
      <div class="lane" aria-hidden="true">
        <Span bar={row.bar} at={percent} />
        {row.moments.map((moment) => (
          <i class="tick" key={moment.name} style={{ left: `${percent(moment.ms)}%` }} />
        ))}
      </div>
    </li>
  )
}

function Foot({ fall }: { readonly fall: Waterfall }) {
  const said = [
    fall.brokenBy && `budget broken by ${fall.brokenBy}`,
    fall.degraded.length > 0 && `saved by ${fall.degraded.join(', ')}`,
    fall.costUsd !== null && fall.costUsd > 0 && `$${fall.costUsd.toFixed(4)}`,
  ].filter(Boolean)
  return said.length > 0 ? <p class="foot">{said.join(' · ')}</p> : null
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

/** Narrow figures leave out the word `first`; the row says the rest. */
function Moment({ name, at }: { readonly name: string; readonly at: number }) {
  const [, first = '', what = ''] = /^(first )?(.*)$/.exec(name) ?? []
  return (
    <span class="moment">
      {first && <span class="wordy">{first}</span>}
      {what} {ms(at)}
    </span>
  )
}

/** Thin space between thousands, as figures are set. */
function ms(value: number): string {
  return String(Math.round(value)).replace(/(\d)(?=(\d{3})+$)/g, '$1\u2009')
}
