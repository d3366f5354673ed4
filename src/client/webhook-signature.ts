import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { ANY_SIGNATURE, readSignature, type SignatureScheme } from '../core/trigger/signature.ts'

// webhook-signature.ts: whether a request shows that its sender knows the secret of a webhook. Comparisons take the same
// time whatever differs.

/** What a request shows, as far as signatures go. */
export interface SignedRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface SignatureCheck {
  readonly secret: string
  /** As the trigger writes it. Absent: whichever of the known ones the request brings. */
  readonly signature?: string
  readonly replayWindowMs: number
  /** Milliseconds since 1970. */
  readonly now: number
}

/** A list of signatures that is longer is not looked at. */
const MAX_SIGNATURES = 10

/** `problem`: a sentence that never says what would have been right. `signedAt`: the time that was signed, where one was. */
export type CheckedSignature =
  | { readonly ok: true; readonly signedAt?: string }
  | { readonly ok: false; readonly problem: string }

const no = (problem: string): CheckedSignature => ({ ok: false, problem })

/** Whether the request shows that its sender knows the secret. */
export const checkSignature = (request: SignedRequest, check: SignatureCheck): CheckedSignature => {
  const schemes = check.signature === undefined ? ANY_SIGNATURE : schemesOf(check.signature)
  const brought = schemes.filter(({ header }) => request.headers[header] !== undefined)
  if (brought.length === 0) {
    const [only] = schemes
    return no(
      check.signature === undefined || only === undefined
        ? 'The request has no signature: sign it, or send the secret as "Authorization: Bearer"'
        : `The request has no header "${only.header}"`,
    )
  }
  const checked = brought.map((scheme) => checkScheme(scheme, request, check))
  return checked.find(({ ok }) => ok) ?? checked.at(-1) ?? no('The request has no signature')
}

const schemesOf = (signature: string): readonly SignatureScheme[] => {
  const read = readSignature(signature)
  return read.ok ? [read.scheme] : []
}

const checkScheme = (scheme: SignatureScheme, request: SignedRequest, check: SignatureCheck): CheckedSignature => {
  const given = request.headers[scheme.header] ?? ''
  switch (scheme.kind) {
    case 'token': {
      const token = scheme.header === 'authorization' ? /^Bearer +(\S+) *$/i.exec(given)?.[1] : given.trim()
      return token !== undefined && isSame(token, check.secret)
        ? { ok: true }
        : no(`The header "${scheme.header}" does not have the secret`)
    }
    case 'hmac':
      return isSigned(signaturesOf(given), request.body, check.secret)
        ? { ok: true }
        : no(`The signature in "${scheme.header}" is not one of this body`)
    case 'timestamped':
      return checkTimestamped(scheme.header, given, request.body, check)
    default:
      return scheme satisfies never
  }
}

/** `sha256=ab…`, `v1=ab…,v1=cd…`, `ab…`: the part behind the name of the way. */
const signaturesOf = (given: string): readonly string[] =>
  given
    .split(',', MAX_SIGNATURES)
    .map((each) => each.trim().replace(/^(?:sha256|v1)=/i, ''))
    .filter((each) => each !== '')

const isSigned = (signatures: readonly string[], body: Uint8Array, secret: string): boolean => {
  const right = createHmac('sha256', secret).update(body).digest()
  return signatures.some((each) => {
    const bytes = /^[0-9a-f]{64}$/i.test(each) ? Buffer.from(each, 'hex') : Buffer.from(each, 'base64')
    return bytes.length === right.length && timingSafeEqual(bytes, right)
  })
}

const checkTimestamped = (
  header: string,
  given: string,
  body: Uint8Array,
  { secret, replayWindowMs, now }: SignatureCheck,
): CheckedSignature => {
  const parts = given.split(',', MAX_SIGNATURES + 1).map((part) => part.trim())
  const time = parts.find((part) => part.startsWith('t='))?.slice(2) ?? ''
  const signatures = parts.filter((part) => part.startsWith('v1=')).map((part) => part.slice(3))
  if (!/^\d{1,12}$/.test(time) || signatures.length === 0) return no(`The header "${header}" is not t=…,v1=…`)
  // The signature first: the time is not worth anything before.
  if (!isSigned(signatures, Buffer.concat([Buffer.from(`${time}.`), body]), secret))
    return no(`The signature in "${header}" is not one of this body and time`)
  const ageMs = now - Number(time) * 1000
  if (Math.abs(ageMs) <= replayWindowMs) return { ok: true, signedAt: time }
  const signedAt = new Date(Number(time) * 1000).toISOString()
  return no(`The signature in "${header}" is from ${signedAt}: too ${ageMs > 0 ? 'old' : 'far ahead'}`)
}

/** Of digests, since texts of two lengths cannot be compared in the same time. */
const isSame = (given: string, secret: string): boolean =>
  timingSafeEqual(createHash('sha256').update(given).digest(), createHash('sha256').update(secret).digest())
