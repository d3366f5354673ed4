import type { Json } from '../definition.ts'
import { HIDDEN } from '../secret-param.ts'

/** Shorter secrets are hidden where they are the whole value only: "1" stands everywhere. */
const MIN_WITHIN = 6

/** The value with the secrets in it hidden: as whole values, as keys, and within texts. */
export function withoutSecrets(value: string, secrets: readonly Json[]): string
export function withoutSecrets(
  value: Readonly<Record<string, string>>,
  secrets: readonly Json[],
): Readonly<Record<string, string>>
export function withoutSecrets(value: Json, secrets: readonly Json[]): Json
export function withoutSecrets(value: Json, secrets: readonly Json[]): Json {
  const texts = secrets
    .map((secret) => (typeof secret === 'string' ? secret : JSON.stringify(secret)))
    .filter((text) => text !== '')
    // A secret that holds another one is hidden as a whole.
    .sort((a, b) => b.length - a.length)
  return texts.length === 0 ? value : hide(value, texts)
}

const hide = (value: Json, texts: readonly string[]): Json => {
  if (typeof value === 'string') return hideText(value, texts)
  if (typeof value !== 'object' || value === null)
    return value !== null && texts.includes(JSON.stringify(value)) ? HIDDEN : value
  if (texts.includes(JSON.stringify(value))) return HIDDEN
  if (Array.isArray(value)) return (value as readonly Json[]).map((each) => hide(each, texts))
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [hideText(key, texts), hide(each, texts)]))
}

const hideText = (text: string, texts: readonly string[]): string =>
  texts.includes(text)
    ? HIDDEN
    : texts.filter(({ length }) => length >= MIN_WITHIN).reduce((masked, each) => masked.replaceAll(each, HIDDEN), text)
