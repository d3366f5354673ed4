import { dirname } from 'node:path'
import { parse as parseToml, TomlError } from 'smol-toml'
import { findTomlPlaces, type TomlPlace } from '../core/dialect/toml-places.ts'
import { didYouMean } from '../core/nearest.ts'
import { findSetting, SETTINGS, type Setting, TABLES, toSnakeCase, withUnit } from './settings.ts'
import type { Candidate, ConfigProblem, Source } from './source.ts'

/** `sop.config.toml`. `label` is how messages call it. */
export function tomlSource(source: string, file: { readonly path: string; readonly label: string }): Source {
  let table: Record<string, unknown>
  try {
    table = parseToml(source)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    return { candidates: [], problems: [syntaxProblem(error, file.label)] }
  }
  const places = findTomlPlaces(source)
  const originOf = (path: readonly string[]): string => {
    const line = lineOf(source, places, path)
    return line === undefined ? file.label : `${file.label}:${line}`
  }
  return readTable(table, { base: dirname(file.path), originOf, unknown: 'error', accepts: () => true })
}

/** The line, from 1, on which a key is first written. */
function lineOf(source: string, places: TomlPlace, path: readonly string[]): number | undefined {
  let place: TomlPlace | undefined = places
  for (const name of path) place = place?.children.get(name)
  return place?.key === undefined ? undefined : source.slice(0, place.key[0]).split('\n').length
}

function syntaxProblem(error: TomlError, label: string): ConfigProblem {
  const origin = `${label}:${error.line}`
  const reason = error.message.split('\n')[0]?.replace(/^Invalid TOML document:\s*/i, '') ?? 'not TOML'
  return {
    severity: 'error',
    origin,
    message: `Cannot read config "${label}": ${reason} (${origin}:${error.column})\n${masked(error.codeblock.trimEnd())}`,
  }
}

// The lines around the place may hold a credential.
const masked = (source: string): string => source.replace(/(token|secret|password)(\w*\s*=).*/gi, '$1$2 …')

/** Seed 002's `config.json` in the SOP directory: only the keys that the seed has, since whoever writes procedures can write it. */
export function jsonSource(source: string, file: { readonly path: string; readonly label: string }): Source {
  let table: unknown
  try {
    table = JSON.parse(source)
  } catch (error) {
    return { candidates: [], problems: [jsonProblem(file.label, (error as Error).message)] }
  }
  if (!isTable(table)) return { candidates: [], problems: [jsonProblem(file.label, 'expected an object')] }
  const accepts = (setting: Setting): boolean => setting.info.json === true
  return readTable(table, { base: dirname(file.path), originOf: () => file.label, unknown: 'warning', accepts })
}

const jsonProblem = (label: string, reason: string): ConfigProblem => ({
  severity: 'error',
  origin: label,
  message: `Cannot read config "${label}": ${reason}`,
})

interface TableRules {
  readonly base: string
  readonly originOf: (path: readonly string[]) => string
  readonly unknown: ConfigProblem['severity']
  readonly accepts: (setting: Setting) => boolean
}

function readTable(table: Readonly<Record<string, unknown>>, rules: TableRules): Source {
  const candidates: Candidate[] = []
  const problems: ConfigProblem[] = []
  const visit = (part: Readonly<Record<string, unknown>>, path: readonly string[]): void => {
    for (const [name, value] of Object.entries(part)) {
      const here = [...path, name]
      const [origin, fileKey] = [rules.originOf(here), here.map(toSnakeCase).join('.')]
      const found = findSetting(fileKey)
      const earlier = candidates.find(({ setting }) => setting === found?.setting)
      if (TABLES.has(fileKey) && isTable(value)) visit(value, here)
      else if (TABLES.has(fileKey)) problems.push(notATable(fileKey, value, origin))
      else if (found === undefined || !rules.accepts(found.setting)) problems.push(unknownKey(here, rules, origin))
      else if (earlier !== undefined) problems.push(setTwice(fileKey, earlier.origin, origin))
      else candidates.push({ setting: found.setting, value: withUnit(value, found.unit), origin, base: rules.base })
    }
  }
  visit(table, [])
  return { candidates, problems }
}

const notATable = (key: string, value: unknown, origin: string): ConfigProblem => ({
  severity: 'error',
  origin,
  message: `Cannot read setting "${key}": expected a table, got ${JSON.stringify(value)} (${origin})`,
  help: `Write [${key}] on a line of its own and its settings below.`,
})

const setTwice = (key: string, first: string, origin: string): ConfigProblem => ({
  severity: 'error',
  origin,
  message: `Cannot read setting "${key}": it is set already at ${first} (${origin})`,
  help: 'Delete one of the two.',
})

function unknownKey(path: readonly string[], rules: TableRules, origin: string): ConfigProblem {
  const fileKey = path.map(toSnakeCase).join('.')
  const isElsewhere = findSetting(fileKey) !== undefined
  const reason = isElsewhere ? 'this file cannot set it' : 'there is no such setting'
  const help = isElsewhere
    ? 'Write it into sop.config.toml.'
    : (suggest(fileKey, rules) ?? '`sop config` lists every setting.')
  return {
    severity: rules.unknown,
    origin,
    message: `Cannot read setting "${path.join('.')}": ${reason} (${origin})`,
    help,
  }
}

function suggest(fileKey: string, rules: TableRules): string | undefined {
  const accepted = SETTINGS.filter(rules.accepts).map((setting) => setting.fileKey)
  const inTable = accepted.find((key) => key.endsWith(`.${fileKey.slice(fileKey.lastIndexOf('.') + 1)}`))
  return (
    didYouMean(fileKey, [...accepted, ...TABLES]) ?? (inTable === undefined ? undefined : `Did you mean "${inTable}"?`)
  )
}

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
