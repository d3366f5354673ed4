import { RE2JS } from 're2js'
import type { Json, Param } from './definition.ts'
import { didYouMean } from './nearest.ts'

// read-param.ts: one value by the declaration of its param.

type Read = { readonly value: Json } | { readonly reason: string }

const readNumber = (value: Json): Read => {
  if (typeof value === 'number' && Number.isFinite(value)) return { value }
  const text = typeof value === 'string' ? value.trim() : ''
  const isNumeric = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) && Number.isFinite(Number(text))
  return isNumeric ? { value: Number(text) } : { reason: 'it must be a number' }
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  false: false,
  yes: true,
  no: false,
  on: true,
  off: false,
  '1': true,
  '0': false,
}

const readBoolean = (value: Json): Read => {
  if (typeof value === 'boolean') return { value }
  const word = typeof value === 'string' || typeof value === 'number' ? String(value).trim().toLowerCase() : ''
  const found = Object.hasOwn(BOOLEANS, word) ? BOOLEANS[word] : undefined
  return found === undefined ? { reason: 'it must be true or false' } : { value: found }
}

const readText = (value: Json): Read =>
  typeof value === 'object' ? { reason: 'it must be a text' } : { value: String(value) }

const readChoice = (param: Param, value: Json): Read => {
  const choices = param.choices ?? []
  const text = typeof value === 'object' ? '' : String(value)
  if (choices.includes(text)) return { value: text }
  const hint = didYouMean(text, choices)
  return {
    reason: `it must be one of ${choices.map((choice) => `"${choice}"`).join(', ')}${hint === undefined ? '' : `. ${hint}`}`,
  }
}

const patternProblem = (param: Param, value: Json): string | undefined => {
  if (param.pattern === undefined || typeof value !== 'string') return undefined
  try {
    return RE2JS.compile(param.pattern).matches(value) ? undefined : `it must match ${param.pattern} as a whole`
  } catch {
    return `its pattern ${param.pattern} is no RE2 pattern`
  }
}

/**
 * Reads one value by its declaration: text becomes a number or a boolean where those are asked for.
 *
 * The reason never repeats the value, so that it can be shown for secrets as well.
 */
export const readParam = (param: Param, value: Json): Read => {
  const read =
    param.type === 'number'
      ? readNumber(value)
      : param.type === 'boolean'
        ? readBoolean(value)
        : param.type === 'choice'
          ? readChoice(param, value)
          : readText(value)
  if ('reason' in read) return read
  const reason = patternProblem(param, read.value)
  return reason === undefined ? read : { reason }
}
