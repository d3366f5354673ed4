import type { Json } from '../../core/definition.ts'

/** A param or output in one line: text as it is, everything else as JSON. */
export const renderValue = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** `version=2.1.0, dry=true`. */
export const renderValues = (values: Readonly<Record<string, Json>>): string =>
  Object.entries(values)
    .map(([key, value]) => `${key}=${renderValue(value)}`)
    .join(', ')
