import type { Json } from '../core/definition.ts'

// step-output.ts: what a step writes to $SOP_OUTPUT.

/** Largest value that a step may hand on; larger ones belong into a file whose name is the output. */
export const OUTPUT_VALUE_BYTES = 64 * 1024
/** Largest `$SOP_OUTPUT` of a step. */
export const OUTPUT_FILE_BYTES = 256 * 1024

export interface StepOutput {
  readonly values: Readonly<Record<string, Json>>
  /** Sentences about lines that could not be taken. The values of the other lines count. */
  readonly problems: readonly string[]
  /** Why the step has to fail: a value that would be cut is worse than none. */
  readonly error?: string
}

const NAME = /^[A-Za-z_][A-Za-z0-9_-]{0,99}$/

/**
 * Reads `name=value` lines, and values of several lines:
 *
 * ```
 * notes<<EOF
 * first line
 * second line
 * EOF
 * ```
 *
 * Empty lines are passed over, a name that comes twice counts with its last value, values are text.
 * `isReserved` names the outputs that no step may set.
 */
export const parseStepOutput = (text: string, isReserved: (name: string) => boolean): StepOutput => {
  const lines = text.replaceAll('\0', '').split(/\r?\n/)
  const values: Record<string, Json> = {}
  const problems: string[] = []
  const take = (line: number, name: string, value: string): string | undefined => {
    const reason = refusal(name, isReserved)
    if (reason !== undefined)
      problems.push(`Cannot take output "${shown(name)}": ${reason} ($SOP_OUTPUT, line ${line})`)
    else if (Buffer.byteLength(value) > OUTPUT_VALUE_BYTES) return tooLarge(name, Buffer.byteLength(value))
    // A plain assignment to `__proto__` would change the object instead of adding to it.
    else Object.defineProperty(values, name, { value, enumerable: true, configurable: true, writable: true })
    return undefined
  }
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string
    const at = i + 1
    if (line.trim() === '') continue
    const block = /^\s*([^=<]*?)\s*<<\s*(\S+)\s*$/.exec(line)
    let error: string | undefined
    if (block !== null) {
      const end = lines.indexOf(block[2] as string, i + 1)
      if (end === -1) {
        problems.push(
          `Cannot take output "${shown(block[1] as string)}": its end "${block[2]}" is missing ($SOP_OUTPUT, line ${at})`,
        )
        break
      }
      error = take(at, block[1] as string, lines.slice(i + 1, end).join('\n'))
      i = end
    } else {
      const equals = line.indexOf('=')
      if (equals === -1)
        problems.push(`Cannot take output "${shown(line)}": expected name=value ($SOP_OUTPUT, line ${at})`)
      else error = take(at, line.slice(0, equals).trim(), line.slice(equals + 1))
    }
    if (error !== undefined) return { values, problems, error }
  }
  return { values, problems }
}

/** Why an `$SOP_OUTPUT` of that size is refused. */
export const outputTooLarge = (sizeBytes: number): string =>
  `Cannot take outputs: $SOP_OUTPUT has ${sizeBytes} bytes, the limit is ${OUTPUT_FILE_BYTES}. Write large results to a file in $SOP_RUN_DIR and hand on its name`

const tooLarge = (name: string, sizeBytes: number): string =>
  `Cannot take output "${name}": it has ${sizeBytes} bytes, the limit is ${OUTPUT_VALUE_BYTES}. Write large results to a file in $SOP_RUN_DIR and hand on its name`

const refusal = (name: string, isReserved: (name: string) => boolean): string | undefined => {
  if (!NAME.test(name)) return 'a name has letters, digits, "_" and "-", and begins with a letter or "_"'
  return isReserved(name) ? 'the name is reserved' : undefined
}

const shown = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text)
