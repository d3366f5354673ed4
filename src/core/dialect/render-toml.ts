import type { ApprovalSettings, Command, Json } from '../definition.ts'
import { formatDuration } from '../duration.ts'

// render-toml.ts: the parts of a definition as TOML values.

export type Toml = { [key: string]: TomlValue | undefined }
export type TomlValue = string | number | boolean | readonly TomlValue[] | Toml

/** A duration as text; `null` is "none". */
export const durationOf = (ms: number | null | undefined): string | undefined =>
  ms === undefined ? undefined : ms === null ? 'none' : formatDuration(ms)

/** The settings that steps and gates share. */
export const approvalTable = (settings: ApprovalSettings, timeoutKey: string): Toml => ({
  [timeoutKey]: durationOf(settings.approvalTimeoutMs),
  on_timeout: settings.onTimeout,
  approvers: settings.approvers,
  quorum: settings.quorum,
  exclude: settings.exclude,
  on_reject: settings.onReject,
  remind: durationOf(settings.remindMs),
  escalate_to: settings.escalateTo,
})

/** A command as a text, or with its interpreter. */
export const commandOf = ({ interpreter, script }: Command): string | Toml =>
  interpreter === 'bash' ? script : { interpreter, script }

/** JSON as TOML; a definition holds no nulls inside of values. */
export const tomlOf = (json: Json | undefined): TomlValue | undefined => json as TomlValue | undefined

/** The table without keys that are undefined, all the way down. */
export const withoutUndefined = (value: Toml): Toml =>
  Object.fromEntries(Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[key, cleaned(item)]])))

const cleaned = (value: TomlValue): TomlValue => {
  if (Array.isArray(value)) return value.map((item: TomlValue) => cleaned(item))
  return typeof value === 'object' ? withoutUndefined(value as Toml) : value
}
