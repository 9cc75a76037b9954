/** The final record of a turn, asked of the server after the answer. */
import { request } from 'undici'
import type { TurnRecord } from '../../trace/record.ts'
import type { ServerAddress } from './address.ts'

const ANSWER_WITHIN_MS = 5_000

/** Undefined when the server keeps no record of it or does not answer: a timeline is welcome, not needed. */
export async function fetchTurn(
  address: ServerAddress,
  turnId: string,
  key: string | undefined,
): Promise<TurnRecord | undefined> {
  try {
    const answer = await request(address.http(`/v1/turns/${encodeURIComponent(turnId)}`), {
      headersTimeout: ANSWER_WITHIN_MS,
      bodyTimeout: ANSWER_WITHIN_MS,
      ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
    })
    const body: unknown = await answer.body.json()
    return answer.statusCode === 200 && looksLikeTurn(body) ? body : undefined
  } catch {
    return undefined
  }
}

/** Enough to draw it; the server is the same program. */
function looksLikeTurn(body: unknown): body is TurnRecord {
  return (
    typeof body === 'object' &&
    body !== null &&
    ['id', 'marks', 'attempts', 'budget'].every((member) => member in body)
  )
}
