// normalize.ts: the seeds' short forms and dialect Z's JSON paths become plain CEL, piece by piece, so that an error in the
// CEL can be shown at its place in the text that a person wrote.

/** CEL, and where each piece of it came from: both offsets count from 0 and grow. */
export interface Normalized {
  readonly cel: string
  readonly pieces: readonly { readonly cel: number; readonly text: number }[]
}
export interface NormalizeError {
  readonly offset: number
  readonly message: string
  readonly help?: string
}

const STRING = /[rRbB]{0,2}(?:"""(?:\\[^]|[^\\])*?"""|'''(?:\\[^]|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')/y
const NAME = /[A-Za-z_][A-Za-z0-9_]*(?:-[A-Za-z_][A-Za-z0-9_]*)*/y
const NUMBER = /(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)[uU]?/y
const PERCENT = /\s*%(?=\s*(?:$|[)\]},:?&|=<>]|!=))/y
const JSON_PATH = /\$(?:\.[A-Za-z0-9_-]+|\[\d+\]|\["[^"\\\n]*"\]|\['[^'\\\n]*'\])*/y
const LEADING_COMPARISON = /\s*(?:[<>]=?|==|!=)/y

const HELP: readonly [RegExp, string, string][] = [
  [/={3,}|!==/y, 'it compares with "===" or "!=="', 'Write == or !=.'],
  [/=(?!=)/y, 'it assigns with a single "="', 'Write == to compare.'],
  [/&(?!&)/y, 'it has a single "&"', 'Write && between the parts.'],
  [/\|(?!\|)/y, 'it has a single "|"', 'Write || between the parts.'],
  [/[\u2018-\u201f]/y, 'it has typographic quotes', 'Write straight quotes: "value".'],
  [/\$?\{/y, 'it has a placeholder in braces', 'Write the bare name, without braces.'],
  [/\$(?=[A-Za-z_])/y, 'it reads a shell variable', 'Write the name without "$".'],
  [/<>/y, 'it compares with "<>"', 'Write != for "is not".'],
]
const WORDS: Readonly<Record<string, string>> = { and: '&&', or: '||', not: '!', is: '==', eq: '==', ne: '!=' }

const at = (pattern: RegExp, text: string, offset: number): string | undefined => {
  pattern.lastIndex = offset
  return pattern.exec(text)?.[0]
}

/** `$.a.b.0["c d"]` → `payload.a.b[0]["c d"]`. */
const payloadPath = (path: string): string =>
  'payload' +
  path
    .slice(1)
    .replace(/\.([A-Za-z0-9_-]+)/g, (_, key: string) =>
      /^\d+$/.test(key) ? `[${key}]` : /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`,
    )

const mistake = (text: string, offset: number): NormalizeError | undefined => {
  for (const [pattern, message, help] of HELP) {
    // A map literal is CEL; two braces, or a dollar before one, are a template.
    if (at(pattern, text, offset) === '{' && text[offset + 1] !== '{') continue
    if (at(pattern, text, offset) !== undefined) return { offset, message, help }
  }
  return undefined
}

const wordMistake = (word: string, cel: string, offset: number): NormalizeError | undefined => {
  const sign = Object.hasOwn(WORDS, word.toLowerCase()) ? WORDS[word.toLowerCase()] : undefined
  const afterOperand = /[\w"'\])]\s*$/.test(cel)
  if (sign === undefined || afterOperand === (sign === '!')) return undefined
  return { offset, message: `it joins its parts with "${word}"`, help: `Write ${sign} instead.` }
}

/** One token at `offset`: how much text it takes and what CEL it gives. */
const token = (
  text: string,
  offset: number,
  cel: string,
): { readonly taken: number; readonly gives: string } | NormalizeError => {
  const string = at(STRING, text, offset)
  if (string !== undefined) return { taken: string.length, gives: string }
  const path = at(JSON_PATH, text, offset)
  if (path !== undefined && !/^[A-Za-z_{]/.test(text.slice(offset + path.length)))
    return { taken: path.length, gives: payloadPath(path) }
  const name = at(NAME, text, offset)
  if (name !== undefined) {
    const wrong = wordMistake(name, cel, offset)
    return wrong ?? { taken: name.length, gives: name.replaceAll('-', '_') }
  }
  const number = at(NUMBER, text, offset)
  if (number !== undefined) {
    const percent = at(PERCENT, text, offset + number.length) ?? ''
    return { taken: number.length + percent.length, gives: number }
  }
  const operator = at(/[=!<>]=(?!=)|&&|\|\|/y, text, offset)
  if (operator !== undefined) return { taken: 2, gives: operator }
  return mistake(text, offset) ?? { taken: 1, gives: text[offset] ?? '' }
}

/** Short forms → CEL. Knows tokens only; whether the CEL is well formed is the parser's business. */
export const normalize = (text: string): Normalized | NormalizeError => {
  let cel = at(LEADING_COMPARISON, text, 0) === undefined ? '' : 'payload '
  const pieces: { cel: number; text: number }[] = [{ cel: 0, text: 0 }]
  for (let offset = 0; offset < text.length; ) {
    const next = token(text, offset, cel)
    if ('message' in next) return next
    pieces.push({ cel: cel.length, text: offset })
    cel += next.gives
    offset += next.taken
  }
  return { cel, pieces }
}

/** Offset in the text that a person wrote, for an offset in the CEL. */
export const originOf = (normalized: Normalized, celOffset: number): number => {
  let found = { cel: 0, text: 0 }
  for (const piece of normalized.pieces) if (piece.cel <= celOffset) found = piece
  const next = normalized.pieces[normalized.pieces.indexOf(found) + 1]
  const origin = found.text + (celOffset - found.cel)
  return next === undefined ? origin : Math.min(origin, next.text)
}
