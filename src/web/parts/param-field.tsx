import { useId } from 'react'
import type { Param } from '../../core/definition.ts'
import { PlainText } from './plain-text.tsx'

interface ParamFieldProps {
  readonly param: Param
  readonly value: string
  readonly error: string | undefined
  readonly onChange: (value: string) => void
}

/** The field of one typed param, with what it has to be, and why its value does not fit. */
export function ParamField({ param, value, error, onChange }: ParamFieldProps) {
  const id = useId()
  const notes = notesOf(param)
  const described = [
    ...(param.description === undefined && notes === '' ? [] : [`${id}-note`]),
    ...(error === undefined ? [] : [`${id}-error`]),
  ]
  const common = {
    id,
    value,
    'aria-invalid': error !== undefined,
    'aria-required': param.required === true,
    ...(described.length > 0 && { 'aria-describedby': described.join(' ') }),
    onChange: (event: { readonly target: { readonly value: string } }) => onChange(event.target.value),
  }
  const choices = choicesOf(param)
  return (
    <div className={`field${error === undefined ? '' : ' field-wrong'}`}>
      <label htmlFor={id} className="field-name">
        <PlainText text={param.name} />
        {param.required === true && <span className="field-required"> required</span>}
      </label>
      {choices !== undefined ? (
        <select {...common}>
          <option value="">{param.required === true ? 'Choose…' : 'Not given'}</option>
          {choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...common}
          type={param.secret === true ? 'password' : 'text'}
          inputMode={param.type === 'number' ? 'decimal' : 'text'}
          autoComplete={param.secret === true ? 'new-password' : 'off'}
          spellCheck={false}
        />
      )}
      {(param.description !== undefined || notes !== '') && (
        <p id={`${id}-note`} className="field-note">
          <PlainText text={[param.description, notes].filter(Boolean).join(' · ')} />
        </p>
      )}
      {error !== undefined && (
        <p id={`${id}-error`} className="field-error">
          <PlainText text={error} />
        </p>
      )}
    </div>
  )
}

const choicesOf = ({ type, choices }: Param): readonly string[] | undefined =>
  type === 'choice' ? (choices ?? []) : type === 'boolean' ? ['true', 'false'] : undefined

const notesOf = ({ type, pattern, secret, default: value }: Param): string =>
  [
    ...(type === 'number' ? ['a number'] : []),
    ...(pattern === undefined ? [] : [`must match ${pattern}`]),
    ...(secret === true ? ['secret: it is kept out of every record'] : []),
    ...(secret === true && value !== undefined ? ['has a default'] : []),
  ].join(' · ')
