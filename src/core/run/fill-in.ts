import type { Json } from '../definition.ts'

/** Longest value that a title takes in, in characters. */
const MAX_VALUE = 200

const REFERENCE = /\{\{\s*([A-Za-z_][\w.-]*)\s*\}\}/g

const show = (value: Json): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text
}

/**
 * Fills `{{name}}` in titles and prose with the values that a run has, for reading only: inside commands it is an error
 * of the compiler. A name without a value stays as it is. What is filled in is never looked at again.
 */
export const fillIn = (text: string, values: Readonly<Record<string, Json>>): string =>
  text.replace(REFERENCE, (reference, name: string) => {
    const key = Object.hasOwn(values, name)
      ? name
      : Object.keys(values).find((each) => each.toLowerCase() === name.toLowerCase())
    const value = key === undefined ? undefined : values[key]
    return value === undefined ? reference : show(value)
  })
