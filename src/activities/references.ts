import type { Json } from '../core/definition.ts'

// references.ts: `$name` and `${name}` in url, headers and body of an HTTP action. The place decides how a value is
// written there, so that no value can become more than a value.

/** Where a reference stands. */
export type Place = 'url' | 'header' | 'json' | 'form' | 'text'

export interface Values {
  /** The value of a name as text; undefined: nothing sets it. */
  readonly text: (name: string) => string | undefined
  /** The value with its type, for references in JSON that stand outside of quotes. */
  readonly json: (name: string) => Json | undefined
}

export type Filled = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly error: string }

const REFERENCE = /\$(?:(\$)|([A-Za-z_]\w*)|\{(\w+)\})/g

/**
 * The template with its references replaced. `$$` is a dollar sign; a `$` before anything else stands for itself.
 *
 * - url: values are percent-encoded; only a reference at the very beginning is taken as it is, as in `$base/health`.
 * - header: as they are; a line end in a value is an error.
 * - json: inside quotes escaped; outside of them as JSON with the value's type, as in `{ "count": $count }`.
 * - form: percent-encoded. text: as they are.
 */
export const fillReferences = (template: string, place: Place, values: Values): Filled => {
  const isQuoted = place === 'json' ? quotesIn(template) : () => false
  let error: string | undefined
  const text = template.replace(REFERENCE, (whole, dollar: string | undefined, bare, braced, at: number) => {
    if (dollar !== undefined) return '$'
    const name = (bare ?? braced) as string
    const value = values.text(name)
    if (value === undefined) error ??= `nothing sets "${name}" (written as "${whole}"; "$$" is a dollar sign)`
    else if (place === 'header' && /[\r\n\0]/.test(value)) error ??= `the value of "${name}" has a line end`
    else return written(value, place, { at, isQuoted: isQuoted(at), json: () => typedValue(values, name, value) })
    return ''
  })
  return error === undefined ? { ok: true, text } : { ok: false, error }
}

const typedValue = (values: Values, name: string, text: string): Json => {
  const typed = values.json(name)
  return typed === undefined ? text : typed
}

const written = (
  value: string,
  place: Place,
  spot: { readonly at: number; readonly isQuoted: boolean; readonly json: () => Json },
): string => {
  switch (place) {
    case 'url':
      return spot.at === 0 ? value : percentEncoded(value)
    case 'form':
      return percentEncoded(value)
    case 'json':
      return spot.isQuoted ? JSON.stringify(value).slice(1, -1) : JSON.stringify(spot.json())
    case 'header':
    case 'text':
      return value
  }
}

/** A lone surrogate has no UTF-8 form, and encodeURIComponent throws on it; the detour replaces it. */
const percentEncoded = (value: string): string => encodeURIComponent(Buffer.from(value).toString())

/** Tells for each offset of a JSON text whether it stands inside of quotes. */
const quotesIn = (text: string): ((offset: number) => boolean) => {
  const inside: boolean[] = []
  let isInside = false
  for (let i = 0; i < text.length; i++) {
    inside.push(isInside)
    if (text[i] === '\\' && isInside) {
      inside.push(isInside)
      i++
    } else if (text[i] === '"') isInside = !isInside
  }
  return (offset) => inside[offset] === true
}
