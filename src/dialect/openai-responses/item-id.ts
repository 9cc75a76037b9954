/** Ids of items that the server makes itself: with the prefixes that OpenAI demands of ids it is given back. Pure. */

const PREFIX = { message: 'msg', reasoning: 'rs', function_call: 'fc' } as const

export type ItemType = keyof typeof PREFIX

/** `place`: of the item in its answer. */
export function itemId(type: ItemType, responseId: string, place: number): string {
  return `${PREFIX[type]}_parley_${place}_${responseId.replace(/^resp_/, '').slice(0, 40)}`
}

export function isOurItem(id: unknown): boolean {
  return typeof id === 'string' && /^(msg|rs|fc)_parley_/.test(id)
}
