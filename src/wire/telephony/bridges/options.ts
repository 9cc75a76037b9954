/** The members of a bridge's setting that only that bridge knows. */
import { z } from 'zod'
import type { BridgeSetting } from '../../../config/settings.ts'

/** A setting that a bridge cannot work with. `member`: which of it. */
export class BridgeSettingError extends Error {
  override readonly name = 'BridgeSettingError'
  constructor(
    readonly member: string,
    message: string,
  ) {
    super(message)
  }
}

/** `setting.options` by the bridge's own strict shape. Throws `BridgeSettingError`; never quotes a value. */
export function readOptions<Shape extends z.ZodRawShape>(
  setting: BridgeSetting,
  shape: Shape,
): z.infer<z.ZodObject<Shape>> {
  const read = z.strictObject(shape).safeParse(setting.options)
  if (read.success) return read.data as z.infer<z.ZodObject<Shape>>
  const issue = read.error.issues[0]!
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const member = unknown ?? String(issue.path[0] ?? '')
  const known = Object.keys(shape).join(', ')
  throw new BridgeSettingError(
    member,
    unknown === undefined
      ? issue.message
      : `is no member of this bridge${known ? `; there are ${known}` : ''}`,
  )
}
