/** The folder of recorded calls: a stereo WAV for each, named by when it began and its session, and the old ones taken away. */
import { join } from 'node:path'
import type { AudioFormat } from '../../../audio/format.ts'
import type { Clock } from '../../../clock.ts'
import type { CallRecordingSetting } from '../../../config/settings.ts'
import { keepFolder } from '../../../store/retention.ts'
import { type CallRecorder, recordCall } from './recorder.ts'
import { stereoFile } from './wav-file.ts'

export interface CallShelf {
  /** `format`: of the line; a wide one is recorded wide. */
  record(sessionId: string, format: AudioFormat): CallRecorder
  /** Takes away what is older than `keepDays`. Resolves to how many. */
  sweep(): Promise<number>
  /** Resolves when every file is whole. */
  close(): Promise<void>
}

const MB = 1024 * 1024
const NARROW_HZ = 8_000
const WIDE_HZ = 16_000
/** No number, no name: who called is in the turn records, for whoever may see them. */
const OURS = /^\d{8}T\d{6}Z-sess_[0-9a-f]+\.wav$/

/** `loadAudio` has been awaited. Throws the system's error when the folder cannot be made or written to. */
export function openCallShelf(options: {
  readonly setting: CallRecordingSetting
  readonly clock: Clock
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void
}): CallShelf {
  const { setting, clock, note } = options
  const { dir, maxMb, keepDays } = setting
  const onFailed = (code: string | undefined) => note('old recordings cannot be taken away', { dir, code })
  const folder = keepFolder({ dir, ours: OURS, keepDays, clock, onFailed })
  const open = new Set<CallRecorder>()
  return {
    sweep: folder.sweep,
    record(sessionId, format) {
      const date = new Date(clock.wallMs()).toISOString().replace(/[-:]|\.\d+/g, '')
      const sampleRateHz = format.sampleRateHz > NARROW_HZ ? WIDE_HZ : NARROW_HZ
      const path = join(dir, `${date}-${sessionId}.wav`)
      const sink = stereoFile({ path, sampleRateHz, maxBytes: maxMb * MB, note })
      const recorder = recordCall({ clock, sink, sampleRateHz })
      const kept: CallRecorder = {
        caller: recorder.caller,
        heard: recorder.heard,
        cut: recorder.cut,
        get dropped() {
          return recorder.dropped
        },
        async close() {
          await recorder.close()
          if (!open.delete(kept)) return
          const { dropped } = recorder
          if (dropped + sink.droppedBytes > 0)
            note('a call’s recording is not whole', { sessionId, dropped, droppedBytes: sink.droppedBytes })
        },
      }
      open.add(kept)
      return kept
    },
    async close() {
      folder.close()
      await Promise.all([...open].map((recorder) => recorder.close()))
    },
  }
}
