/** The process of the doubles: each listens on a port of its own. */
import { type Started, startDouble } from '../../src/testing/index.ts'
import { serveParent } from '../harness/process.ts'
import { subjectOf } from './subjects.ts'

export interface Place {
  readonly apiKey: string
  readonly baseUrl: string
  /** What OpenAI's own address goes without. */
  readonly stt?: 'realtime'
}

const started = new Map<string, Started>()

const api = {
  async start(title: string): Promise<Place> {
    const double = await startDouble(subjectOf(title).double())
    started.set(title, double)
    const { apiKey = '', baseUrl = '', stt } = double.settings
    return { apiKey, baseUrl, ...(stt === 'realtime' && { stt }) }
  },
  /** What it held against its clients. Ends it. */
  async stop(title: string): Promise<readonly string[]> {
    const double = started.get(title)!
    started.delete(title)
    await double.close()
    return double.mistakes
  },
}

export type DoublesApi = typeof api

serveParent(api)
