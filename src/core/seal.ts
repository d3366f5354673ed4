// seal.ts: what our API signs, and how a run checks it. Pure JavaScript, since a workflow has neither node:crypto nor
// WebCrypto; Ed25519, so that the run carries only the public key.

import { canonicalJson } from './canonical.ts'
import { verifyEd25519 } from './ed25519.ts'
import type { Decision } from './run/decision.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const SIXES: ReadonlyMap<string, number> = new Map([...ALPHABET].map((character, value) => [character, value]))

/** Standard base64 with padding → bytes; undefined when it is not that, or not in its shortest form. */
export const base64Bytes = (text: string): Uint8Array | undefined => {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padding)
  let bits = 0
  let held = 0
  let at = 0
  for (const character of text.slice(0, text.length - padding)) {
    const six = SIXES.get(character)
    if (six === undefined) return undefined
    bits = (bits << 6) | six
    held += 6
    if (held < 8) continue
    held -= 8
    bytes[at++] = bits >> held
    bits &= (1 << held) - 1
  }
  return bits === 0 ? bytes : undefined
}

/**
 * What the seal of a decision covers: the run and everything that the decision says, its seal left out.
 * Empty, and so never sealed, when the decision is nested too deeply to be written.
 */
export const sealedText = (runId: string, decision: Decision): string => {
  const { seal: _, ...said } = decision
  try {
    return canonicalJson({ decision: said, runId })
  } catch {
    return ''
  }
}

/**
 * Whether `seal` is the authority's signature of `text`. Both in base64; the authority is a raw Ed25519 public key.
 * Never throws: anything malformed is `false`.
 */
export const verifySeal = (authority: string, text: string, seal: string): boolean => {
  if (text === '' || typeof seal !== 'string' || seal.length !== 88 || authority.length !== 44) return false
  const [key, signature] = [base64Bytes(authority), base64Bytes(seal)]
  if (key === undefined || signature === undefined) return false
  try {
    return verifyEd25519(signature, new TextEncoder().encode(text), key)
  } catch {
    return false
  }
}
