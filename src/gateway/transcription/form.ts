/** A multipart form with one file, read whole: the body is in memory already, and bounded. */
import { Busboy } from '@fastify/busboy'
import { Refusal } from '../failure.ts'

export interface UploadedFile {
  readonly bytes: Uint8Array
  /** As the client says; may be wrong. */
  readonly name: string
}

export interface Form {
  readonly file: UploadedFile
  /** Values by name, in order. Of a name like `a[]` the name is `a`. */
  readonly fields: ReadonlyMap<string, readonly string[]>
}

/** Twice what OpenAI's API has, lists of words aside. */
const MAX_FIELDS = 64
const MAX_FIELD_BYTES = 64 * 1024
const MAX_NAME_BYTES = 200
const MAX_HEADERS = 32
const FILE = 'file'

export interface FormOptions {
  /** Of the request; must name the boundary. */
  readonly contentType: string
  readonly fileBytes: number
}

/** Rejects with `Refusal`. */
export async function readForm(body: Uint8Array, { contentType, fileBytes }: FormOptions): Promise<Form> {
  const fields = new Map<string, string[]>()
  const files: (UploadedFile & { readonly field: string })[] = []
  let parts = 0
  await new Promise<void>((resolve, reject) => {
    const refuse = (message: string) => reject(new Refusal('invalid_form', message))
    const parser = openParser(contentType, fileBytes)
    parser.on('field', (name, value, nameTruncated, valueTruncated) => {
      parts++
      if (nameTruncated || valueTruncated)
        return refuse(`A field of the form is longer than ${MAX_FIELD_BYTES} bytes, or its name is too long.`)
      const plain = name.replace(/\[\]$/, '')
      fields.set(plain, [...(fields.get(plain) ?? []), value])
    })
    parser.on('file', (field, stream, name) => {
      parts++
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
      stream.on('limit', () => {
        const message = `The file is larger than the ${Math.round(fileBytes / 1024 / 1024)} MB this server takes.`
        reject(new Refusal('payload_too_large', message, FILE))
      })
      stream.on('error', () => refuse('The form is not complete.'))
      stream.on('end', () => files.push({ field, name: name ?? '', bytes: Buffer.concat(chunks) }))
    })
    parser.on('partsLimit', () => refuse(`The form has more than ${MAX_FIELDS} parts.`))
    parser.on('filesLimit', () =>
      reject(new Refusal('invalid_form', 'The form has more than one file.', FILE)),
    )
    parser.on('error', () => refuse('The form is not well formed, or not complete.'))
    parser.on('finish', () => resolve())
    parser.end(body)
  })
  if (parts === 0) {
    throw new Refusal(
      'invalid_form',
      'The form is empty, or its boundary is not the one the Content-Type names.',
    )
  }
  return { file: oneFile(files, fields), fields }
}

function openParser(contentType: string, fileSize: number) {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: {
        fileSize,
        files: 1,
        fields: MAX_FIELDS,
        parts: MAX_FIELDS + 1,
        fieldSize: MAX_FIELD_BYTES,
        fieldNameSize: MAX_NAME_BYTES,
        headerPairs: MAX_HEADERS,
      },
    })
  } catch {
    throw new Refusal('invalid_form', 'The Content-Type names no boundary of the form.')
  }
}

function oneFile(
  files: readonly (UploadedFile & { readonly field: string })[],
  fields: Form['fields'],
): UploadedFile {
  const [file] = files
  if (file?.field === FILE) return file
  if (file)
    throw new Refusal(
      'invalid_form',
      `The file must be in the field '${FILE}'.`,
      file.field.slice(0, MAX_NAME_BYTES),
    )
  if (fields.has(FILE))
    throw new Refusal('invalid_value', `Invalid '${FILE}': expected a file with a name, got text.`, FILE)
  throw new Refusal('missing_required_parameter', `Missing required parameter: '${FILE}'.`, FILE)
}
