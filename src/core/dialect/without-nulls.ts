import type { Json } from '../definition.ts'

/** A value without what is null: a null says that something is not set, and TOML has no word for it. */
export const withoutNulls = (json: Json): Json => {
  if (Array.isArray(json)) return json.filter((item) => item !== null).map(withoutNulls)
  if (json === null || typeof json !== 'object') return json
  const entries = Object.entries(json as Readonly<Record<string, Json>>).filter(([, value]) => value !== null)
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutNulls(value)]))
}
