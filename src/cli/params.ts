import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Json } from '../core/definition.ts'
import { parseDuration } from '../core/duration.ts'
import { UsageError } from './exit-codes.ts'
import type { Io } from './io.ts'

export type Values = Readonly<Record<string, Json>>

/** Option name → its text, e.g. `['--vars', '{"a": 1}']`. Later ones win. */
export type JsonSource = readonly [option: string, text: string | undefined]

/**
 * The values of a command line: JSON objects first, then single `key=value` pairs, which win and stay text. `@FILE`
 * reads a file and `-` standard input, once; BOM and Windows line ends are no matter.
 *
 * @throws UsageError that names the option
 */
export const readValues = async (
  io: Io,
  objects: readonly JsonSource[],
  [pairOption, pairs]: readonly [string, readonly string[] | undefined],
): Promise<Values | undefined> => {
  const read = createReader(io)
  const values = new Map<string, Json>()
  let given = false
  for (const [option, text] of objects) {
    if (text === undefined) continue
    given = true
    const object = parseObject(option, await read(option, text))
    for (const [key, value] of Object.entries(object)) values.set(key, value)
  }
  for (const pair of pairs ?? []) {
    given = true
    for (const [key, value] of await readPairs(read, pairOption, pair)) values.set(key, value)
  }
  return given ? Object.fromEntries(values) : undefined
}

/** Any JSON value of an option: its text, `@FILE`, or `-` for standard input. @throws UsageError */
export const readJson = async (io: Io, option: string, text: string): Promise<Json> => {
  const read = await createReader(io)(option, text)
  try {
    return JSON.parse(read) as Json
  } catch (error) {
    throw new UsageError(
      `Cannot read ${option}: it is not JSON (${error instanceof Error ? error.message : String(error)})`,
    )
  }
}

/** `name=value` pairs of an option, names in lower case. @throws UsageError */
export const readPairsOf = (
  option: string,
  pairs: readonly string[] | undefined,
): Readonly<Record<string, string>> | undefined =>
  pairs === undefined
    ? undefined
    : Object.fromEntries(
        pairs.map((pair) => parsePair(option, pair)).map(([name, value]) => [name.toLowerCase(), value]),
      )

type Read = (option: string, text: string) => Promise<string>

const createReader = (io: Io): Read => {
  let stdinBy: string | undefined
  return async (option, text) => {
    if (text === '-') {
      if (stdinBy !== undefined)
        throw new UsageError(`Cannot read ${option} from standard input: ${stdinBy} reads it already`)
      stdinBy = option
      return withoutBom(await io.readStdin())
    }
    if (!text.startsWith('@')) return text
    const path = resolve(io.cwd, text.slice(1))
    try {
      return withoutBom(await readFile(path, 'utf8'))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      const reason =
        code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a folder' : (code ?? String(error))
      throw new UsageError(`Cannot read ${option} from "${text.slice(1)}": ${reason}`)
    }
  }
}

const withoutBom = (text: string): string => text.replace(/^\uFEFF/, '')

const parseObject = (option: string, text: string): Values => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new UsageError(
      `Cannot read ${option}: it is not JSON (${reason}). Expected an object such as '{"version": "2.1.0"}'`,
    )
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Values
  throw new UsageError(`Cannot read ${option}: expected a JSON object such as '{"version": "2.1.0"}'`)
}

const readPairs = async (read: Read, option: string, text: string): Promise<readonly (readonly [string, string])[]> => {
  if (text !== '-' && !text.startsWith('@')) return [parsePair(option, text)]
  const lines = (await read(option, text)).split(/\r\n|\n|\r/)
  return lines
    .filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'))
    .map((line) => parsePair(option, line))
}

const parsePair = (option: string, text: string): readonly [string, string] => {
  const at = text.indexOf('=')
  const key = text.slice(0, Math.max(at, 0)).trim()
  if (at < 1 || key === '') throw new UsageError(`Cannot read ${option} "${text}": expected key=value`)
  return [key, text.slice(at + 1)]
}

/** A whole number of an option or argument. @throws UsageError */
export const readNumber = (
  name: string,
  text: string | undefined,
  { least = 0, most = 1_000_000 } = {},
): number | undefined => {
  if (text === undefined) return undefined
  const value = /^\d{1,9}$/.test(text.trim()) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new UsageError(`Cannot read ${name} "${text}": expected a whole number from ${least} to ${most}`)
}

/** The step that a command means: its argument or `--step`, and not two different ones. @throws UsageError */
export const readStep = (argument: string | undefined, option: string | undefined): number | undefined => {
  const byArgument = readNumber('STEP', argument)
  const byOption = readNumber('--step', option)
  if (byArgument !== undefined && byOption !== undefined && byArgument !== byOption)
    throw new UsageError(`Cannot choose a step: STEP says ${byArgument} and --step says ${byOption}`)
  return byArgument ?? byOption
}

/** A length of time of an option, e.g. `90s`. @throws UsageError */
export const readDuration = (name: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined
  const parsed = parseDuration(text)
  if (parsed.ok && parsed.ms !== null && parsed.ms > 0) return parsed.ms
  throw new UsageError(`Cannot read ${name} "${text}": expected a duration such as 90s, 10m or 1h30m`)
}
