// ed25519.ts: verification where there is no node:crypto. Workers keep this module for all their runs, so what depends on
// a key alone is made once (16 ms measured) and a check is some 120 additions (0.5 ms measured). The library's arithmetic is
// kept; its own verify() fills a table of 8,000 points first.

import { Point } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'

const { n: ORDER } = Point.CURVE()

const numberOf = (littleEndian: Uint8Array): bigint => {
  let hex = ''
  for (const byte of littleEndian) hex = byte.toString(16).padStart(2, '0') + hex
  return BigInt(`0x${hex}`)
}

/** `table[i][d - 1]` is d · 16^i · P: a product is then one addition for each hexadecimal digit. */
type Table = readonly (readonly Point[])[]

const DIGITS = 64

const tableOf = (point: Point): Table => {
  let base = point
  return Array.from({ length: DIGITS }, () => {
    const row = [base]
    for (let digit = 2; digit <= 16; digit++) row.push((row.at(-1) as Point).add(base))
    base = row.pop() as Point
    return row
  })
}

/** sum + scalar · P. Variable time: nothing here is secret. */
const addProduct = (sum: Point, scalar: bigint, table: Table): Point =>
  [...scalar.toString(16)].reduceRight<{ readonly sum: Point; readonly at: number }>(
    (before, hex) => {
      const digit = Number.parseInt(hex, 16)
      const row = table[before.at] as readonly Point[]
      return { sum: digit === 0 ? before.sum : before.sum.add(row[digit - 1] as Point), at: before.at + 1 }
    },
    { sum, at: 0 },
  ).sum

/** Keys whose tables are kept: an installation has one, and one that was changed is still in runs that began with it. */
const MAX_KEYS = 4

let baseTable: Table | undefined
const negatedKeys = new Map<string, Table | undefined>()

/** The table of -A; undefined for a key of small order. @throws when the key is no point of the curve */
const negatedKey = (publicKey: Uint8Array): Table | undefined => {
  const name = numberOf(publicKey).toString(16)
  if (negatedKeys.has(name)) return negatedKeys.get(name)
  const key = Point.fromBytes(publicKey)
  const table = key.isSmallOrder() ? undefined : tableOf(key.negate())
  const [oldest] = negatedKeys.keys()
  if (negatedKeys.size >= MAX_KEYS && oldest !== undefined) negatedKeys.delete(oldest)
  negatedKeys.set(name, table)
  return table
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, at) => byte === b[at])

/**
 * RFC 8032, cofactorless and strict as node:crypto: canonical encodings only, S below the order, no key of small order.
 *
 * @throws when the key is no point of the curve
 */
export const verifyEd25519 = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean => {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  const [r, s] = [signature.subarray(0, 32), numberOf(signature.subarray(32))]
  if (s >= ORDER) return false
  const key = negatedKey(publicKey)
  if (key === undefined) return false
  const hashed = new Uint8Array(64 + message.length)
  hashed.set(r)
  hashed.set(publicKey, 32)
  hashed.set(message, 64)
  const k = numberOf(sha512(hashed)) % ORDER
  baseTable ??= tableOf(Point.BASE)
  return sameBytes(addProduct(addProduct(Point.ZERO, s, baseTable), k, key).toBytes(), r)
}
