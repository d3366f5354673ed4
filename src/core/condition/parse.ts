import { ParseError } from '@marcbachmann/cel-js'
import type { Condition } from '../definition.ts'
import { levelOf } from './compare.ts'
import { language, MAX_TEXT } from './language.ts'
import { type Normalized, normalize, originOf } from './normalize.ts'
import { type Leaf, RewriteError, type Rewritten, rewrite } from './rewrite.ts'

export type ParsedCondition =
  | { readonly ok: true; readonly condition: Condition; readonly warnings: readonly string[] }
  | {
      readonly ok: false
      /** One sentence: `Cannot read condition "…": reason`. */
      readonly message: string
      /** Counts from 1, in the text as given. */
      readonly column: number
      readonly help?: string
    }

const RESERVED_HELP = (name: string): string => `Write params.${name} to read a param of that name.`

/** The library's names of tokens, as people write them. */
const TOKENS: Readonly<Record<string, string>> = {
  EOF: 'the end',
  NUMBER: 'a number',
  STRING: 'a text',
  IDENTIFIER: 'a name',
  LPAREN: '"("',
  RPAREN: '")"',
  LBRACKET: '"["',
  RBRACKET: '"]"',
  LBRACE: '"{"',
  RBRACE: '"}"',
  DOT: '"."',
  COMMA: '","',
  COLON: '":"',
  QUESTION: '"?"',
}
const plain = (summary: string): string =>
  summary.replaceAll(/\b[A-Z]{3,}\b/g, (token) => (Object.hasOwn(TOKENS, token) ? (TOKENS[token] ?? token) : token))

/** The library's first line, without its position block, as a reason. */
const reasonOf = (error: unknown): { readonly reason: string; readonly offset: number; readonly help?: string } => {
  if (error instanceof RewriteError)
    return { reason: error.message, offset: error.offset, ...(error.help === undefined ? {} : { help: error.help }) }
  const known = error instanceof ParseError || (error instanceof Error && 'summary' in error)
  const summary = known ? (error as ParseError).summary : error instanceof Error ? error.message : String(error)
  const offset = known ? ((error as ParseError).range?.start ?? 0) : 0
  const reserved = /^Reserved identifier: (\w+)/.exec(summary)?.[1]
  if (reserved !== undefined)
    return { reason: `"${reserved}" is a word of the language`, offset, help: RESERVED_HELP(reserved) }
  if (/EOF/.test(summary)) return { reason: 'it ends too early', offset }
  return { reason: plain(summary.charAt(0).toLowerCase() + summary.slice(1)), offset }
}

const refuse = (text: string, offset: number, reason: string, help?: string): ParsedCondition => ({
  ok: false,
  message: `Cannot read condition "${text.length > 80 ? `${text.slice(0, 80)}…` : text}": ${reason}`,
  column: Math.min(offset, text.length) + 1,
  ...(help === undefined ? {} : { help }),
})

const LEVEL_WORDS = ['low', 'normal', 'medium', 'high', 'critical']
const near = (a: string, b: string): boolean =>
  a !== b && Math.abs(a.length - b.length) <= 1 && [...a].sort().join('') === [...b].sort().join('')

const warningsOf = (cel: string, leaves: readonly Leaf[]): string[] => {
  const warnings: string[] = []
  if (leaves.length === 0) warnings.push(`Condition "${cel}" reads no name: it is the same in every run`)
  for (const [, word = ''] of cel.matchAll(/[<>]=?\s*["'](\w+)["']/g)) {
    const meant = levelOf(word) === undefined ? LEVEL_WORDS.find((level) => near(level, word.toLowerCase())) : undefined
    if (meant !== undefined) warnings.push(`"${word}" is no level, so it compares as text. Did you mean "${meant}"?`)
  }
  return warnings
}

type Rewrite = (ast: ReturnType<ReturnType<typeof language>['parse']>['ast']) => Rewritten

const compile = (text: string, normalized: Normalized, rewriteAst: Rewrite): ParsedCondition => {
  try {
    const rewritten = rewriteAst(language().parse(normalized.cel).ast)
    const checked = language().parse(rewritten.cel).check()
    if (!checked.valid) return refuse(text, 0, reasonOf(checked.error).reason.replaceAll(/__(\w+)/g, '$1'))
    const names = [...new Set(rewritten.leaves.map((leaf) => leaf.root))]
    return {
      ok: true,
      condition: { text, cel: normalized.cel, names },
      warnings: warningsOf(normalized.cel, rewritten.leaves),
    }
  } catch (error) {
    const { reason, offset, help } = reasonOf(error)
    return refuse(text, originOf(normalized, offset), reason, help)
  }
}

/**
 * Reads a condition: CEL, the seeds' short forms (`x`, `!x`, `disk_usage > 80%`, `disk-usage > 80`) and dialect Z's JSON
 * paths (`$.a.b.0 > 1`, `> 0`). Never throws. `names` are the roots that it reads, as written, with `_` for `-`.
 */
export const parseCondition = (text: string): ParsedCondition => parseWith(text, rewrite)

/** The same language, rewritten for what is asked of it: its truth, or its value (list.ts). */
export const parseWith = (text: string, rewriteAst: Rewrite): ParsedCondition => {
  const start = text.length - text.trimStart().length
  const trimmed = text.trim()
  if (trimmed === '') return refuse(text, 0, 'it is empty', 'Write a name or a comparison, for example tests_pass.')
  if (trimmed.length > MAX_TEXT) return refuse(trimmed, 0, `it is longer than ${MAX_TEXT} characters`)
  const normalized = normalize(trimmed)
  const parsed =
    'message' in normalized
      ? refuse(trimmed, normalized.offset, normalized.message, normalized.help)
      : compile(trimmed, normalized, rewriteAst)
  return parsed.ok ? parsed : { ...parsed, column: parsed.column + start }
}
