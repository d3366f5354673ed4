import type { Json, Param } from '../core/definition.ts'
import { UsageError } from './exit-codes.ts'
import type { Io } from './io.ts'
import type { Values } from './params.ts'
import { cleanText } from './render/clean.ts'
import { renderValue } from './render/json-value.ts'

/** Asks for the fields of a form, one by one, again where an answer does not fit. Empty answers leave a field out. */
export const askForm = async (io: Io, fields: readonly Param[]): Promise<Values> => {
  const values: Record<string, Json> = {}
  for (const field of fields) {
    const value = await askField(io, field)
    if (value !== undefined) values[field.name] = value
  }
  return values
}

const askField = async (io: Io, field: Param): Promise<Json | undefined> => {
  for (;;) {
    const answer = await io.ask(questionOf(field), { secret: field.secret === true })
    if (answer === undefined) throw new UsageError(`Cannot complete the form: the input ended before "${field.name}"`)
    if (answer.trim() === '') {
      if (field.default !== undefined || field.required !== true) return field.default
      io.err.write('It is required.\n')
      continue
    }
    const value = coerceValue(field, answer)
    const problem = problemOf(field, value)
    if (problem === undefined) return value
    io.err.write(`${cleanText(problem)}\n`)
  }
}

const questionOf = ({ name, type, description, choices, default: standard, required, secret }: Param): string => {
  const kind = choices === undefined ? (type === 'boolean' ? 'yes|no' : type) : choices.join('|')
  const more =
    standard !== undefined && secret !== true ? ` [${String(standard)}]` : required === true ? '' : ' [optional]'
  return cleanText(`${description === undefined ? name : `${description} - ${name}`} (${kind})${more}: `).replace(
    /\n/g,
    ' ',
  )
}

/** What is wrong with a typed value; the engine checks it again, patterns included. */
const problemOf = (field: Param, value: Json): string | undefined => {
  const shown = `"${renderValue(value)}"`
  if (field.type === 'number' && typeof value !== 'number') return `${shown} is no number.`
  if (field.type === 'boolean' && typeof value !== 'boolean') return `${shown} is neither yes nor no.`
  if (field.choices?.includes(renderValue(value)) === false)
    return `${shown} is not one of ${field.choices.join(', ')}.`
  return undefined
}

const TRUE = ['true', 'yes', 'y', '1']
const FALSE = ['false', 'no', 'n', '0']

/** Text as the type of its field, where it reads as one; anything else as it is, for the engine to judge. */
export const coerceValue = (field: Param | undefined, value: Json): Json => {
  if (typeof value !== 'string' || field === undefined) return value
  const text = value.trim()
  if (field.type === 'number') return text !== '' && Number.isFinite(Number(text)) ? Number(text) : value
  if (field.type !== 'boolean') return value
  if (TRUE.includes(text.toLowerCase())) return true
  return FALSE.includes(text.toLowerCase()) ? false : value
}
