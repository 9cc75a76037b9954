/** The folder of recordings: a file for each session, and the old ones taken away. */
import { join } from 'node:path'
import type { Clock } from '../clock.ts'
import type { RecordingSetting } from '../config/settings.ts'
import type { HostOptions } from '../session/host.ts'
import { keepFolder } from '../store/retention.ts'
import { type LineSink, lineFile } from './file.ts'
import { recordSession } from './session.ts'

export interface ShelfOptions {
  readonly setting: RecordingSetting
  readonly clock: Clock
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void
}

export interface Shelf {
  /** What a host begins its sessions with. */
  readonly begin: NonNullable<HostOptions['begin']>
  /** Takes away what is older than `keepDays`. Resolves to how many. */
  sweep(): Promise<number>
  /** Resolves when every file is written to its end; the sessions are closed by then. */
  close(): Promise<void>
}

const MB = 1024 * 1024
/** Only what was written here is ever taken away. */
const OURS = /^\d{8}T\d{6}Z-sess_[0-9a-f]+\.jsonl$/

/** Throws the system's error when the folder cannot be made or written to: said at start, not at the first call. */
export function openShelf({ setting, clock, note }: ShelfOptions): Shelf {
  const { dir, audio, redact, maxMb, keepDays } = setting
  const folder = keepFolder({
    dir,
    ours: OURS,
    keepDays,
    clock,
    onFailed: (code) => note('old recordings cannot be taken away', { dir, code }),
  })

  const writing = new Set<Promise<void>>()
  /** A session is gone from its host before its file is whole. */
  function closing(sink: LineSink): LineSink {
    let end: () => void = () => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    writing.add(ended)
    return {
      write: (line) => sink.write(line),
      async close() {
        await sink.close()
        writing.delete(ended)
        end()
      },
    }
  }

  return {
    sweep: folder.sweep,
    async close() {
      folder.close()
      await Promise.all(writing)
    },
    begin(options, pipeline) {
      const date = new Date(clock.wallMs()).toISOString().replace(/[-:]|\.\d+/g, '')
      const path = join(dir, `${date}-${options.id}.jsonl`)
      return recordSession(
        options,
        pipeline,
        { audio, redact },
        closing(lineFile({ path, maxBytes: maxMb * MB, note })),
      )
    },
  }
}
