/** AWS's own code for its signature and its event streams, loaded by the first request: 9 MB that only Bedrock needs. */

export type Aws = Awaited<ReturnType<typeof load>>

let loading: Promise<Aws> | undefined

export function loadAws(): Promise<Aws> {
  loading ??= load()
  return loading
}

async function load() {
  const [{ SignatureV4 }, { Sha256 }, { EventStreamCodec }] = await Promise.all([
    import('@smithy/signature-v4'),
    import('@smithy/core/checksum'),
    import('@smithy/core/event-streams'),
  ])
  return { SignatureV4, Sha256, EventStreamCodec }
}
