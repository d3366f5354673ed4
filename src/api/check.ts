import { z } from 'zod'
import { SopError } from '../core/errors.ts'

/**
 * The value as its schema types it. Without a schema nothing may be given.
 *
 * @throws SopError `invalid` that lists each path and what was expected there, also as `errors` for programs.
 */
export function check<T>(noun: string, schema: z.ZodType<T> | undefined, value: unknown): T {
  const parsed = (schema ?? NOTHING).safeParse(value)
  if (parsed.success) return parsed.data as T
  const known = schema === undefined ? [] : keysOf(schema)
  const errors = parsed.error.issues.flatMap((issue) => explain(issue, known)).slice(0, MAX_ERRORS)
  const list = errors.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')
  throw new SopError('invalid', `Cannot accept ${noun}: ${list}`, { errors })
}

const NOTHING = z.strictObject({})
const MAX_ERRORS = 20

interface CheckError {
  readonly path: string
  readonly message: string
}

function explain(issue: z.core.$ZodIssue, known: readonly string[]): CheckError[] {
  const path = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') {
    const allowed = path === '' && known.length > 0 ? `. Known keys: ${known.join(', ')}` : ''
    return issue.keys.map((key) => ({
      path: path === '' ? clip(key) : `${path}.${clip(key)}`,
      message: `unknown key${allowed}`,
    }))
  }
  const message = issue.message.replace(/^Invalid (input|option): /, '')
  return [{ path, message }]
}

const clip = (key: string): string => (key.length > 100 ? `${key.slice(0, 100)}…` : key)

const keysOf = (schema: z.ZodType): readonly string[] => {
  const { shape } = schema as Partial<z.ZodObject>
  return shape === undefined ? [] : Object.keys(shape)
}
