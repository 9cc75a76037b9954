/** Reads a `multipart/form-data` body, strictly: what is not as RFC 7578 says is a mistake, told as a sentence. */
export interface Form {
  readonly fields: Readonly<Record<string, readonly string[]>>
  readonly file: { readonly name: string; readonly type: string; readonly bytes: Buffer } | undefined
}

export function formIn(contentType: string, body: Buffer): Form | string {
  const boundary = /^multipart\/form-data; ?boundary="?([^";]{1,70})"?$/.exec(contentType)?.[1]
  if (boundary === undefined) return `content-type ${contentType} is no form`
  const text = body.toString('latin1')
  const first = `--${boundary}\r\n`
  if (!text.startsWith(first)) return 'the body does not begin with its boundary'
  const end = text.lastIndexOf(`\r\n--${boundary}--`)
  if (end < 0) return 'the body does not end with its boundary'
  const fields: Record<string, string[]> = {}
  let file: Form['file']
  for (const part of text.slice(first.length, end).split(`\r\n--${boundary}\r\n`)) {
    const at = part.indexOf('\r\n\r\n')
    if (at < 0) return 'a part has no headers'
    const headers = part.slice(0, at)
    const value = Buffer.from(part.slice(at + 4), 'latin1')
    const name = /^content-disposition: form-data; name="([^"]+)"/im.exec(headers)?.[1]
    if (name === undefined) return 'a part has no name'
    const filename = /; filename="([^"]+)"/i.exec(headers)?.[1]
    if (filename === undefined) (fields[name] ??= []).push(value.toString('utf8'))
    else if (file || name !== 'file') return `a file that nobody asked for: ${name}`
    else file = { name: filename, type: /^content-type: (\S+)/im.exec(headers)?.[1] ?? '', bytes: value }
  }
  return { fields, file }
}
