/** What Prometheus may ask of speech that is kept. How often it was said is counted with the attempts, from the records. */
import { Gauge, type Registry } from 'prom-client'

export interface SpeechCacheFigures {
  readonly entries: number
  readonly bytes: number
  readonly made: number
  readonly fromDisk: number
  readonly diskBytes: number
  readonly broken: number
  readonly misses: number
}

const MEMBERS = [
  ['parley_speech_cache_entries', 'Phrases and sentences kept in memory.', 'entries'],
  ['parley_speech_cache_bytes', 'Their sound, in memory.', 'bytes'],
  ['parley_speech_cache_disk_bytes', 'Sound in the folder, as of the last write.', 'diskBytes'],
  ['parley_speech_cache_made', 'Phrases synthesised ahead, since the start.', 'made'],
  [
    'parley_speech_cache_from_disk',
    'Phrases and sentences read from the folder, since the start.',
    'fromDisk',
  ],
  [
    'parley_speech_cache_broken_files',
    'Files thrown away because they were not whole, since the start.',
    'broken',
  ],
  ['parley_speech_cache_misses', 'Sentences of answers that were not there, since the start.', 'misses'],
] as const

/** Asked at each scrape. */
export function watchSpeechCache(registry: Registry, figures: () => SpeechCacheFigures): void {
  for (const [name, help, member] of MEMBERS) {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(figures()[member])
      },
    })
  }
}
