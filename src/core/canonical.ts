import { sha256 } from '@noble/hashes/sha2.js'
import type { SopDefinition } from './definition.ts'

const MAX_DEPTH = 500

const memberOf = (key: string, value: unknown, depth: number): string | undefined => {
  const text = write(value, depth)
  return text === undefined ? undefined : `${JSON.stringify(key)}:${text}`
}

const write = (value: unknown, depth: number): string | undefined => {
  if (depth > MAX_DEPTH)
    throw new RangeError(`Cannot write canonical JSON: the value is nested more than ${MAX_DEPTH} levels deep`)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1) ?? 'null').join(',')}]`
  const table = value as Readonly<Record<string, unknown>>
  const members = Object.keys(table)
    .sort()
    .map((key) => memberOf(key, table[key], depth + 1))
  return `{${members.filter((member) => member !== undefined).join(',')}}`
}

/**
 * The one JSON text of a value, as in RFC 8785: keys in the order of their UTF-16 code units, no white space, numbers and
 * texts as ECMAScript writes them. Keys whose value is undefined are left out, as `JSON.stringify` does.
 *
 * @throws {RangeError} when the value is nested deeper than 500 levels @throws {TypeError} on a bigint
 */
export const canonicalJson = (value: unknown): string => write(value, 0) ?? 'null'

/** SHA-256 of a text's UTF-8 bytes, in hex. */
export const sha256Hex = (text: string): string => {
  let hex = ''
  for (const byte of sha256(new TextEncoder().encode(text))) hex += byte.toString(16).padStart(2, '0')
  return hex
}

/** The digest by which a definition is known: SHA-256 of its canonical JSON, in hex. */
export const digestOf = (definition: SopDefinition): string => sha256Hex(canonicalJson(definition))
