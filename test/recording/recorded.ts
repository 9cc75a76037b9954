/** A call that is recorded in memory, and its recording played again. */
import { VirtualClock } from '../../src/clock.ts'
import { loadPipeline } from '../../src/config/pipeline-set.ts'
import type { LineSink } from '../../src/recording/file.ts'
import { readRecording } from '../../src/recording/read.ts'
import { type Replayed, replay } from '../../src/recording/replay.ts'
import { type RecordingRule, recordSession } from '../../src/recording/session.ts'
import { Call, type CallOptions } from '../session/call.ts'

export const KEEP: RecordingRule = { audio: 'keep', redact: [] }

export const PIPELINE = loadPipeline(
  `
name: test
stt: { routes: [{ name: any, use: [fake/stt, spare/stt] }] }
llm: { routes: [{ name: any, use: [fake/llm, spare/llm] }] }
tts: { routes: [{ name: any, use: [fake/tts, spare/tts] }] }
`,
  'test.yaml',
).loaded!.pipeline

export class RecordedCall {
  private constructor(
    readonly call: Call,
    readonly lines: readonly string[],
  ) {}

  static async open(options: CallOptions = {}, rule: RecordingRule = KEEP): Promise<RecordedCall> {
    const clock = new VirtualClock()
    const lines: string[] = []
    const sink: LineSink = { write: (line) => void lines.push(line), close: async () => {} }
    const call = await Call.open({
      ...options,
      clock,
      begin(given) {
        const session = recordSession(given, PIPELINE, rule, sink)
        clock.alsoSettle(session.idle)
        return session
      },
    })
    return new RecordedCall(call, lines)
  }

  get text(): string {
    return `${this.lines.join('\n')}\n`
  }

  /** Hangs up and plays it again. */
  async replayed(): Promise<Replayed> {
    await this.call.hangUp()
    return replay(readRecording(this.text))
  }
}
