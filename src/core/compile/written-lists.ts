import { listCondition } from '../condition/list.ts'
import type { SopDefinition, Step } from '../definition.ts'
import { splitAtCommas } from '../dialect/inline.ts'
import { looseText } from '../dialect/located.ts'
import { scalarText } from '../dialect/values.ts'
import { namesSet, setsName } from './check-names.ts'

// written-lists.ts: `[web1, web2]` in Markdown is a list of these two words, as it is in YAML, unless the SOP has values of
// those names: then it is a list of the values.

/** A word as lists hold it; operators, calls and paths through tables make an expression instead. */
const PLAIN = /^(?:"[^"]*"|'[^']*'|[\p{L}\p{N}_./@~][\p{L}\p{N}_.:/@~-]*(?: [\p{L}\p{N}_][\p{L}\p{N}_.:/@~-]*)*)$/u

/** The words of `[a, b]` as Markdown writes it; `undefined` where it can only be an expression. */
export const plainItems = (text: string): readonly string[] | undefined => {
  const inner = /^\[([^[\]{}()]*)\]$/s.exec(text.trim())?.[1]
  const pieces = inner === undefined ? [] : splitAtCommas(inner).map((piece) => piece.text.trim())
  if (pieces.length === 0 || !pieces.every((piece) => PLAIN.test(piece))) return undefined
  return pieces.map((piece) => scalarText(looseText(piece, NOWHERE)))
}

const NOWHERE = { file: '', line: 1, column: 1 }

/** The steps, with lists of words that name no value taken as they are written. */
export const withWrittenLists = (definition: SopDefinition): SopDefinition => {
  if (definition.steps.every(({ forEach }) => typeof forEach !== 'string')) return definition
  const known = namesSet(definition)
  return { ...definition, steps: definition.steps.map((step) => withWrittenList(step, known)) }
}

const withWrittenList = (step: Step, known: ReadonlySet<string>): Step => {
  if (typeof step.forEach !== 'string') return step
  const items = plainItems(step.forEach)
  const names = listCondition(step.forEach)?.names ?? []
  return items === undefined || names.some((name) => setsName(known, name)) ? step : { ...step, forEach: items }
}
