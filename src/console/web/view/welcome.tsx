/** Before the first word: what to do, and how to read what will appear. */
import type { Call } from '../talk/call.ts'
import type { Waterfall } from '../timing/waterfall.ts'
import { KeyForm } from './key-form.tsx'
import { WaterfallFigure } from './waterfall.tsx'

export function Welcome({ call }: { readonly call: Call }) {
  return (
    <div class="turn welcome">
      <div class="dialogue">
        <h2>Say something.</h2>
        <p>
          Start the call, allow the microphone, and talk. Interrupt whenever you like: the answer stops, and
          the words you did not hear are marked. Or write below instead.
        </p>
        {call.keyNeeded.value && <KeyForm call={call} />}
      </div>
      <WaterfallFigure fall={EXAMPLE} caption="How a turn is shown. The figures are an example." />
    </div>
  )
}

const EXAMPLE: Waterfall = {
  fromMs: 0,
  toMs: 1590,
  ticks: [0, 500, 1000, 1500],
  zero: 'end of speech',
  budgetMs: 1500,
  firstAudioMs: 840,
  brokenBy: null,
  degraded: [],
  costUsd: null,
  rows: [
    row('silence', 'Silence', 'in case you go on', { fromMs: 0, firstMs: null, toMs: 500 }, [
      { name: 'window', ms: 500 },
    ]),
    row('stt', 'STT', 'your words', { fromMs: 380, firstMs: 540, toMs: 540 }, [{ name: 'final', ms: 540 }]),
    row('llm', 'LLM', 'the answer', { fromMs: 545, firstMs: 690, toMs: 1180 }, [
      { name: 'first token', ms: 690 },
      { name: 'sentence', ms: 760 },
    ]),
    row('tts', 'TTS', 'its voice', { fromMs: 765, firstMs: 835, toMs: 1400 }, [
      { name: 'first audio', ms: 835 },
    ]),
  ],
}

function row(
  stage: Waterfall['rows'][number]['stage'],
  label: string,
  who: string,
  bar: { fromMs: number; firstMs: number | null; toMs: number },
  moments: Waterfall['rows'][number]['moments'],
): Waterfall['rows'][number] {
  return { stage, label, who, note: '', fate: '', bar: { ...bar, fate: 'ok' }, moments }
}
