// signature.ts: how a webhook shows that its sender knows the secret. What the `signature` of a trigger may say; the
// checking itself is client/webhook-signature.ts.

export type SignatureScheme =
  /** HMAC-SHA256 of the body, in hex or base64, behind `sha256=`, `v1=` or nothing; of several one must be right. */
  | { readonly kind: 'hmac'; readonly header: string }
  /** `t=<unix seconds>,v1=<hex>`: HMAC-SHA256 of `<t>.<body>`, and `t` must be recent. */
  | { readonly kind: 'timestamped'; readonly header: string }
  /** The secret itself; in `authorization` behind `Bearer`. */
  | { readonly kind: 'token'; readonly header: string }

/** Senders whose way is known, by the word for it. */
const SIGNATURE_WORDS: Readonly<Record<string, SignatureScheme>> = {
  github: { kind: 'hmac', header: 'x-hub-signature-256' },
  stripe: { kind: 'timestamped', header: 'stripe-signature' },
  pagerduty: { kind: 'hmac', header: 'x-pagerduty-signature' },
  grafana: { kind: 'hmac', header: 'x-grafana-alerting-signature' },
  gitlab: { kind: 'token', header: 'x-gitlab-token' },
  bearer: { kind: 'token', header: 'authorization' },
}

/** Ways that need a header behind them. */
const KINDS = ['hmac', 'timestamped', 'token'] as const

/** Headers that cannot carry a signature: they are about something else. */
const OTHER_HEADERS = ['content-type', 'content-length', 'host', 'connection', 'transfer-encoding', 'cookie']

/** Without a `signature` whichever of these a request brings is checked. */
export const ANY_SIGNATURE: readonly SignatureScheme[] = [
  ...Object.values(SIGNATURE_WORDS),
  { kind: 'hmac', header: 'x-signature-256' },
  { kind: 'hmac', header: 'x-signature' },
]

/** How far the time of a timestamped signature may be off, either way, unless the trigger says otherwise. */
export const REPLAY_WINDOW_MS = 300_000

export type ReadSignature =
  | { readonly ok: true; readonly scheme: SignatureScheme }
  | { readonly ok: false; readonly reason: string }

/** Reads `github`, `X-Acme-Signature`, `hmac X-Acme-Signature`, `timestamped X-Acme-Signature`, `token X-Acme-Token`. */
export const readSignature = (written: string): ReadSignature => {
  const words = written.trim().split(/\s+/)
  const [first = '', second] = words
  const word = first.toLowerCase()
  if (words.length === 1 && Object.hasOwn(SIGNATURE_WORDS, word))
    return { ok: true, scheme: SIGNATURE_WORDS[word] as SignatureScheme }
  const kind = KINDS.find((each) => each === word)
  if (words.length > 2 || (words.length === 2 && kind === undefined)) return { ok: false, reason: FORMS }
  if (kind !== undefined && second === undefined) return { ok: false, reason: `"${word}" needs the name of a header` }
  const header = (second ?? first).toLowerCase()
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]{1,100}$/.test(header) || OTHER_HEADERS.includes(header))
    return { ok: false, reason: `"${header.slice(0, 60)}" is not a header that can carry a signature` }
  // One word without a dash looks like a sender's name that is not known.
  if (second === undefined && !header.includes('-')) return { ok: false, reason: FORMS }
  return { ok: true, scheme: { kind: kind ?? 'hmac', header } }
}

const FORMS = `it is none of ${Object.keys(SIGNATURE_WORDS).join(', ')}, a header, or hmac, timestamped or token with a header`
