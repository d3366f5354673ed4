import { z } from 'zod'
import { configSchema, settingInfo, type SettingInfo } from './schema.ts'

/** One setting: its key in `Config`, its spellings in files, what it accepts. */
export interface Setting {
  /** As in `Config`, with dots: `api.port`. */
  readonly key: string
  /** As in `sop.config.toml`, with dots: `temporal.ui_port`. */
  readonly fileKey: string
  readonly info: SettingInfo
  readonly schema: z.ZodType
}

/** Units that a duration's key may end in, with the unit that its value then has (rulings 5). */
export const DURATION_SUFFIXES = { _secs: 's', _mins: 'm', _ms: 'ms' } as const

/** Every setting, in the order of the schema. */
export const SETTINGS: readonly Setting[] = collect(configSchema, [])

/** Tables that hold settings: `api`, `temporal`, `notifications`. */
export const TABLES: ReadonlySet<string> = new Set(
  SETTINGS.flatMap(({ fileKey }) => (fileKey.includes('.') ? [fileKey.slice(0, fileKey.lastIndexOf('.'))] : [])),
)

const BY_FILE_KEY = new Map(SETTINGS.map((setting) => [setting.fileKey, setting]))

/** The setting that a key of a file names, with the unit that its suffix gives. */
export function findSetting(fileKey: string): { readonly setting: Setting; readonly unit?: string } | undefined {
  const setting = BY_FILE_KEY.get(fileKey)
  if (setting !== undefined) return { setting }
  for (const [suffix, unit] of Object.entries(DURATION_SUFFIXES)) {
    const timed = fileKey.endsWith(suffix) ? BY_FILE_KEY.get(fileKey.slice(0, -suffix.length)) : undefined
    if (timed?.info.duration === true) return { setting: timed, unit }
  }
  return undefined
}

/** A bare number with the unit that the suffix of its key gives. */
export const withUnit = (value: unknown, unit: string | undefined): unknown =>
  unit !== undefined && (typeof value === 'number' || (typeof value === 'string' && /^\s*[\d.]+\s*$/.test(value)))
    ? `${value}${unit}`
    : value

/** camelCase and kebab-case as snake_case: the one form in which keys of files are compared. */
export function toSnakeCase(key: string): string {
  return key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase()
}

/** Names of environment variables that are read besides those of single settings. */
const OTHER_VARIABLES = ['SOP_CONFIG', 'DATA_DIR', 'SOP_INSTALLATION_KEY'] as const

/** Every environment variable that `readConfig` honours. */
export const CONFIG_VARIABLES: readonly string[] = [
  ...SETTINGS.flatMap(({ info }) => (info.env === undefined ? [] : [info.env])),
  ...OTHER_VARIABLES,
]

function collect(schema: z.ZodObject, prefix: readonly string[]): readonly Setting[] {
  return Object.entries(schema.shape).flatMap(([name, child]) => {
    const path = [...prefix, name]
    if (!(child instanceof z.ZodType)) return []
    const info = settingInfo.get(child)
    if (info !== undefined) return [{ key: path.join('.'), fileKey: fileKeyOf(path, info), info, schema: child }]
    return child instanceof z.ZodObject ? collect(child, path) : []
  })
}

function fileKeyOf(path: readonly string[], info: SettingInfo): string {
  return path.map((part) => toSnakeCase(withoutUnit(part, info))).join('.')
}

/** Values say their unit themselves, so keys of files do not. */
function withoutUnit(part: string, { duration, size }: SettingInfo): string {
  if (duration === true) return part.replace(/Ms$/, '')
  return size === true ? part.replace(/Bytes$/, '') : part
}
