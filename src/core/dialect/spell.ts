import type { Place } from '../diagnostic.ts'

/** Words that YAML reads as text without quotes. */
const BARE = /^(?!(?:true|false|yes|no|on|off|null)$)[A-Za-z][\w./-]*$/

/**
 * A setting as a document spells it where it is missing: `name = "x"` in TOML, `"name": "x"` in JSON, `name: x` in YAML
 * and Markdown.
 *
 * @param value text, or a list of texts.
 */
export const spell = ({ file }: Pick<Place, 'file'>, key: string, value: string | readonly string[]): string => {
  const quoted =
    typeof value === 'string' ? JSON.stringify(value) : `[${value.map((one) => JSON.stringify(one)).join(', ')}]`
  const ending = file.slice(file.lastIndexOf('.') + 1).toLowerCase()
  if (ending === 'toml') return `${key} = ${quoted}`
  if (ending === 'json') return `"${key}": ${quoted}`
  return `${key}: ${typeof value === 'string' && BARE.test(value) ? value : quoted}`
}
