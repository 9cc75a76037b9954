/** What is looked at in an offer, and changed in an answer. Pure; the session description itself is the peer's. */

/** A browser's offer of one sound and one channel is 2–6 kB. */
export const MAX_SDP_BYTES = 64 * 1024
const MAX_SECTIONS = 8

/** Null: it may be tried. Else what is wrong with it. */
export function offerProblem(sdp: string): string | null {
  if (!sdp.startsWith('v=0')) return 'The body is not a session description (SDP).'
  const sections = sdp.match(/^m=.*$/gm) ?? []
  if (sections.length > MAX_SECTIONS) return `The offer has more than ${MAX_SECTIONS} media sections.`
  if (!sections.some((line) => line.startsWith('m=audio ')) || !/^a=rtpmap:\d+ opus\/48000/im.test(sdp))
    return 'The offer has no audio section with Opus.'
  if (!sections.some((line) => line.startsWith('m=application ')))
    return 'The offer has no data channel: create one named oai-events before the offer.'
  return null
}

/**
 * Without its candidates: the caller's packets reach us and show where they come from. So no address that somebody
 * wrote into an offer is ever sent anything, and no name in it looked up.
 */
export function withoutCandidates(sdp: string): string {
  return sdp.replace(/^a=candidate:.*\r?\n/gm, '')
}

/** For a server behind an address that is not its own: the same ports, there. */
export function atPublicAddress(sdp: string, address: string): string {
  return sdp.replace(/^(a=candidate:\S+ \d+ udp \d+ )(\S+)( \d+ typ host.*)$/gim, `$1${address}$3`)
}

/** Without candidates at other addresses, where nobody listens. */
export function onlyAt(sdp: string, address: string): string {
  return sdp.replace(/^a=candidate:\S+ \d+ udp \d+ (\S+) .*\r?\n/gim, (line, at) =>
    at === address ? line : '',
  )
}
