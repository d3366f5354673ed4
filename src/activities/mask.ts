// mask.ts: keeps the values of secrets out of everything that leaves the worker. Invariants:
//   M1 no occurrence of a pattern passes, whole or in part, also where occurrences overlap.
//   M2 the result does not depend on how the bytes were cut into writes.
//   M3 memory is bounded by the longest pattern: what cannot begin a secret any more is let go at once.

export const MASK = '***'
/** Shorter values would blank half of every log, and protect nothing. */
const MIN_SECRET_CHARS = 4

/** Masks a stream of bytes. `push` may hold back the end of a write that could begin a secret; `end` gives the rest. */
export interface Masker {
  push(bytes: Uint8Array): Uint8Array
  end(): Uint8Array
  /** Bytes that are held back; undefined where a mask that was given out already covers some of them. */
  held(): number | undefined
}

export interface Mask {
  readonly isEmpty: boolean
  masker(): Masker
  bytes(bytes: Uint8Array): Uint8Array
  text(text: string): string
}

/**
 * A mask for the values given, in every form in which a command is likely to print them: plain, line by line,
 * base64 (at each of its three alignments, both alphabets, wrapped or not), URL-encoded, and escaped for JSON or the shell.
 */
export const createMask = (secrets: readonly string[]): Mask => {
  const patterns = patternsOf(secrets)
  if (patterns.length === 0) return NO_MASK
  const table = indexPatterns(patterns)
  const masker = (): Masker => createMasker(table)
  const bytes = (input: Uint8Array): Uint8Array => {
    const one = masker()
    return Buffer.concat([one.push(input), one.end()])
  }
  return { isEmpty: false, masker, bytes, text: (text) => Buffer.from(bytes(Buffer.from(text))).toString() }
}

const PASS: Masker = { push: (bytes) => bytes, end: () => new Uint8Array(0), held: () => 0 }
const NO_MASK: Mask = { isEmpty: true, masker: () => PASS, bytes: (bytes) => bytes, text: (text) => text }

interface Pattern {
  readonly bytes: Uint8Array
  /** Line ends may stand between its characters (`base64` breaks its lines). */
  readonly wraps: boolean
}

const patternsOf = (secrets: readonly string[]): readonly Pattern[] => {
  const values = new Set(secrets.flatMap((secret) => [secret, ...secret.split(/\r?\n/).map((line) => line.trim())]))
  const plain = new Set<string>()
  const wrapped = new Set<string>()
  for (const value of values) {
    if (value.length < MIN_SECRET_CHARS) continue
    for (const form of plainForms(value)) plain.add(form)
    for (const form of base64Forms(value)) wrapped.add(form)
  }
  return [
    ...[...plain].map((text) => ({ bytes: Buffer.from(text), wraps: false })),
    ...[...wrapped].map((text) => ({ bytes: Buffer.from(text), wraps: true })),
  ]
}

const plainForms = (value: string): readonly string[] => {
  // A lone surrogate has no UTF-8 form, and encodeURIComponent throws on it; the detour replaces it.
  const url = encodeURIComponent(Buffer.from(value).toString())
  const strict = url.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
  const json = JSON.stringify(value).slice(1, -1)
  const urls = [url, strict, url.replaceAll('%20', '+'), strict.replaceAll('%20', '+'), url.replaceAll('%2F', '/')]
  return [
    value,
    ...urls,
    ...urls.map((form) => form.replace(/%[0-9A-F]{2}/g, (hex) => hex.toLowerCase())),
    json,
    json.replaceAll('/', '\\/'),
    json.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`),
    // `set -x` prints a quote inside quotes like this.
    value.replaceAll("'", "'\\''"),
  ]
}

const base64Forms = (value: string): readonly string[] => {
  const whole = Buffer.from(value)
  return [whole.toString('base64'), whole.toString('base64url'), ...embeddedBase64Forms(value)]
}

/** The characters of a base64 text that the value alone decides, wherever in the encoded bytes it begins. */
const embeddedBase64Forms = (value: string): readonly string[] =>
  [0, 1, 2].flatMap((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)])
    const from = Math.ceil((shift * 8) / 6)
    const to = Math.floor((bytes.length * 8) / 6)
    const text = bytes.toString('base64').slice(from, to)
    return [text, text.replaceAll('+', '-').replaceAll('/', '_')]
  })

/**
 * Where a pattern can begin at all; the slow path is only taken there. Every pattern has four bytes or more, so its first
 * two and (unless a line end stands among them) its first four say no to nearly everything.
 */
interface PatternTable {
  /** Patterns by their first two bytes, and those that may go on with a line end by the first byte and that. */
  readonly byPair: ReadonlyMap<number, readonly Pattern[]>
  readonly byFirst: ReadonlyMap<number, readonly Pattern[]>
  /** `pairs[b0 << 8 | b1]`: some pattern begins so. */
  readonly pairs: Uint8Array
  /** `fours[hash of four bytes]`: some pattern may begin so. */
  readonly fours: Uint8Array
}

const LF = 10
const CR = 13
const MIN_PATTERN_BYTES = 4

const hashOfFour = (b0: number, b1: number, b2: number, b3: number): number =>
  Math.imul(b0 | (b1 << 8) | (b2 << 16) | (b3 << 24), 0x9e3779b1) >>> 16

const indexPatterns = (patterns: readonly Pattern[]): PatternTable => {
  const byPair = new Map<number, Pattern[]>()
  const byFirst = new Map<number, Pattern[]>()
  const pairs = new Uint8Array(65_536)
  const fours = new Uint8Array(65_536)
  const put = (lists: Map<number, Pattern[]>, key: number, pattern: Pattern): void => {
    const list = lists.get(key)
    if (list === undefined) lists.set(key, [pattern])
    else list.push(pattern)
  }
  const begins = (b0: number, b1: number, pattern: Pattern): void => {
    pairs[(b0 << 8) | b1] = 1
    put(byPair, (b0 << 8) | b1, pattern)
  }
  for (const pattern of patterns) {
    const [b0 = 0, b1 = 0, b2 = 0, b3 = 0] = pattern.bytes
    fours[hashOfFour(b0, b1, b2, b3)] = 1
    put(byFirst, b0, pattern)
    begins(b0, b1, pattern)
    if (!pattern.wraps) continue
    for (const lineEnd of [LF, CR]) if (b1 !== lineEnd) begins(b0, lineEnd, pattern)
  }
  return { byPair, byFirst, pairs, fours }
}

/** The next place from `from` on at which a pattern can begin; the length of the bytes if there is none. */
const nextBegin = (bytes: Uint8Array, from: number, { pairs, fours }: PatternTable): number => {
  // Behind this too little is known to say no.
  const sure = bytes.length - MIN_PATTERN_BYTES + 1
  let at = from
  let b0 = bytes[at] as number
  for (; at < sure; at++) {
    const b1 = bytes[at + 1] as number
    if (pairs[(b0 << 8) | b1] !== 0) {
      const b2 = bytes[at + 2] as number
      const b3 = bytes[at + 3] as number
      if (fours[hashOfFour(b0, b1, b2, b3)] !== 0 || isLineEnd(b1) || isLineEnd(b2) || isLineEnd(b3)) return at
    }
    b0 = b1
  }
  return at
}

const isLineEnd = (byte: number): boolean => byte === LF || byte === CR

const NONE: readonly Pattern[] = []

/** The patterns that can begin here; the last byte alone can be the beginning of any that begins with it. */
const candidatesAt = (bytes: Uint8Array, at: number, { byPair, byFirst }: PatternTable): readonly Pattern[] => {
  const [b0, b1] = [bytes[at] as number, bytes[at + 1]]
  return (b1 === undefined ? byFirst.get(b0) : byPair.get((b0 << 8) | b1)) ?? NONE
}

/** End of the pattern's occurrence at `from`; -1: it is not there; -2: the bytes end before that is known. */
const matchAt = (bytes: Uint8Array, from: number, { bytes: pattern, wraps }: Pattern): number => {
  let at = from
  for (let i = 0; i < pattern.length; i++) {
    if (wraps && i > 0) {
      if (bytes[at] === CR) at++
      if (bytes[at] === LF) at++
    }
    if (at >= bytes.length) return -2
    if (bytes[at] !== pattern[i]) return -1
    at++
  }
  return at
}

const createMasker = (table: PatternTable): Masker => {
  const mark = Buffer.from(MASK)
  let held: Uint8Array = new Uint8Array(0)
  /** So many bytes of `held` belong to a mask that is written already. */
  let covered = 0

  const scan = (bytes: Uint8Array, isLast: boolean): Uint8Array => {
    const out: Uint8Array[] = []
    let plainFrom = covered
    let maskEnd = covered
    let hold = bytes.length
    for (let i = nextBegin(bytes, 0, table); i < bytes.length; i = nextBegin(bytes, i + 1, table)) {
      let end = -1
      for (const pattern of candidatesAt(bytes, i, table)) {
        const found = matchAt(bytes, i, pattern)
        if (found > end) end = found
        if (found === -2 && !isLast && i < hold) hold = i
      }
      if (end <= maskEnd) continue
      if (i >= maskEnd) {
        // Nothing beyond `hold` is decided yet, and a mask that begins there is found again by the next scan.
        if (i > hold) break
        out.push(bytes.subarray(plainFrom, i), mark)
      }
      maskEnd = end
      plainFrom = end
    }
    if (plainFrom < hold) out.push(bytes.subarray(plainFrom, hold))
    held = bytes.slice(hold)
    covered = Math.max(0, maskEnd - hold)
    return Buffer.concat(out)
  }

  return {
    push: (bytes) => scan(held.length === 0 ? bytes : Buffer.concat([held, bytes]), false),
    end: () => scan(held, true),
    held: () => (covered === 0 ? held.length : undefined),
  }
}
