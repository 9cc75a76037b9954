/** Server-sent events as text. Pure. */

/** An event without a name. */
export function sseData(data: string): string {
  return data.includes('\n') ? `data: ${data.replaceAll(/\r\n|\r|\n/g, '\ndata: ')}\n\n` : `data: ${data}\n\n`
}

export function sseEvent(event: string, data: string): string {
  return `event: ${event}\n${sseData(data)}`
}
