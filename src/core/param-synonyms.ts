import type { Json } from './definition.ts'
import { SopError } from './errors.ts'

/** The words that mean a run's params, on every face (rulings 21). */
export const PARAM_SYNONYMS = ['params', 'vars', 'variables', 'payload'] as const

export type ParamSynonyms = {
  readonly [K in (typeof PARAM_SYNONYMS)[number]]?: Readonly<Record<string, Json>> | undefined
}

/**
 * The params of a start request, whichever word they came by; absent when none of the words is there.
 *
 * @throws SopError `invalid` when two of the words are there: which one wins would be a guess.
 */
export function paramsOf(request: ParamSynonyms): Readonly<Record<string, Json>> | undefined {
  const given = PARAM_SYNONYMS.filter((word) => request[word] !== undefined)
  if (given.length > 1) {
    const words = given.map((word) => `"${word}"`).join(' and ')
    throw new SopError('invalid', `Cannot read the params of the run: ${words} mean the same. Give only one of them`)
  }
  return given[0] === undefined ? undefined : request[given[0]]
}
