/** Images and files inside requests: `data:` URLs and web addresses. Pure. Nothing is ever fetched here: an address is its provider's to read. */
import { RequestFault } from './faults.ts'
import type { ImageSource } from './neutral.ts'

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w-]+=[^;,]*)*;base64,/i

/** Throws `RequestFault` naming `at`. */
export function imageOf(url: string, at: string): ImageSource {
  if (/^https?:\/\//i.test(url)) return { type: 'url', url }
  const { mediaType, data } = mediaTypeOf(url, at)
  return { type: 'base64', mediaType, data }
}

/** Of a `data:` URL. Throws `RequestFault` naming `at`. */
export function mediaTypeOf(url: string, at: string): { readonly mediaType: string; readonly data: string } {
  // A prefix is enough to look at: the data may be megabytes.
  const found = DATA_URL.exec(url.slice(0, 512))
  if (!found?.[1])
    throw new RequestFault(at, `Invalid value for '${at}': expected a data URL in base64, or a web address.`)
  return { mediaType: found[1].toLowerCase(), data: url.slice(found[0].length) }
}
