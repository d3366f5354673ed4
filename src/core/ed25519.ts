// ed25519.ts: verification for where a process checks one signature and is gone: each workflow loads its modules anew, and
// the libraries' verify() first fills a table of 8,000 points (34 ms measured, on every run). The library's arithmetic is
// kept; only the double scalar multiplication is one pass without a table (Straus).

import { Point } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'

const { n: ORDER } = Point.CURVE()

const numberOf = (littleEndian: Uint8Array): bigint => {
  let hex = ''
  for (const byte of littleEndian) hex = byte.toString(16).padStart(2, '0') + hex
  return BigInt(`0x${hex}`)
}

/** s·B + k·A. Variable time: nothing here is secret. */
const combine = (s: bigint, k: bigint, a: Point): Point => {
  const b = Point.BASE
  const sums = [Point.ZERO, b, a, b.add(a)]
  const [left, right] = [s.toString(2), k.toString(2)]
  const length = Math.max(left.length, right.length)
  const [sBits, kBits] = [left.padStart(length, '0'), right.padStart(length, '0')]
  let sum = Point.ZERO
  for (let at = 0; at < length; at++) {
    sum = sum.double()
    const which = (sBits[at] === '1' ? 1 : 0) + (kBits[at] === '1' ? 2 : 0)
    if (which > 0) sum = sum.add(sums[which] as Point)
  }
  return sum
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
  const key = Point.fromBytes(publicKey)
  if (key.isSmallOrder()) return false
  const hashed = new Uint8Array(64 + message.length)
  hashed.set(r)
  hashed.set(publicKey, 32)
  hashed.set(message, 64)
  const k = numberOf(sha512(hashed)) % ORDER
  return sameBytes(combine(s, k, key.negate()).toBytes(), r)
}
