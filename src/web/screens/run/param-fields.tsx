import { useId } from 'react'
import type { Json, Param } from '../../../core/definition.ts'

/** What stands in the fields, by name; a field that was not touched is absent. */
export type FieldTexts = Readonly<Record<string, string | boolean>>

interface ParamFieldsProps {
  readonly params: readonly Param[]
  readonly texts: FieldTexts
  readonly onChange: (texts: FieldTexts) => void
  /** Values that stand there before anybody types. */
  readonly values?: Readonly<Record<string, Json>>
  readonly areRequired?: boolean
}

/** One field for each typed value. What fits is judged by the engine. */
export function ParamFields({ params, texts, onChange, values = {}, areRequired = true }: ParamFieldsProps) {
  const id = useId()
  return params.map((param) => {
    const { name, type, description, required, secret, choices } = param
    const now = texts[name] ?? plain(secret === true ? undefined : (values[name] ?? param.default))
    const set = (value: string | boolean): void => onChange({ ...texts, [name]: value })
    const hint = `${id}-${name}-hint`
    const common = {
      id: `${id}-${name}`,
      name,
      ...(description !== undefined && { 'aria-describedby': hint }),
      ...(areRequired && required === true && param.default === undefined && { required: true }),
    }
    return (
      <div key={name} className="field">
        {type === 'boolean' ? (
          <label className="check-field">
            <input
              {...common}
              required={false}
              type="checkbox"
              checked={now === true || now === 'true'}
              onChange={(event) => set(event.target.checked)}
            />
            <span>{name}</span>
          </label>
        ) : (
          <>
            <label className="field-name" htmlFor={common.id}>
              {name}
              {common.required === true && <span className="muted"> (required)</span>}
            </label>
            {choices !== undefined ? (
              <select {...common} value={String(now)} onChange={(event) => set(event.target.value)}>
                {now === '' && <option value="">choose</option>}
                {choices.map((choice) => (
                  <option key={choice}>{choice}</option>
                ))}
              </select>
            ) : (
              <input
                {...common}
                type={secret === true ? 'password' : 'text'}
                autoComplete="off"
                inputMode={type === 'number' ? 'decimal' : 'text'}
                value={String(now)}
                onChange={(event) => set(event.target.value)}
              />
            )}
          </>
        )}
        {description !== undefined && (
          <p id={hint} className="muted small field-hint">
            {description}
          </p>
        )}
      </div>
    )
  })
}

const plain = (value: Json | undefined): string | boolean =>
  typeof value === 'boolean'
    ? value
    : value === undefined
      ? ''
      : typeof value === 'string'
        ? value
        : JSON.stringify(value)

/** What was typed, as the engine takes it: numbers and truth values as such, an empty field as nothing. */
export function valuesOf(params: readonly Param[], texts: FieldTexts): Readonly<Record<string, Json>> {
  return Object.fromEntries(
    params.flatMap(({ name, type }): readonly (readonly [string, Json])[] => {
      const text = texts[name]
      if (text === undefined || text === '') return []
      if (type === 'number' && typeof text === 'string' && text.trim() !== '' && !Number.isNaN(Number(text)))
        return [[name, Number(text)]]
      return [[name, text]]
    }),
  )
}
