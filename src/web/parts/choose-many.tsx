import { useId, useRef } from 'react'
import './choose-many.css'

interface ChooseManyProps {
  readonly name: string
  readonly choices: readonly (readonly [value: string, name: string])[]
  readonly chosen: readonly string[]
  readonly onChange: (chosen: readonly string[]) => void
}

/** Several of a few values, behind a button that says how many: a native popover, closed by Escape or a click beside it. */
export function ChooseMany({ name, choices, chosen, onChange }: ChooseManyProps) {
  const id = useId()
  const button = useRef<HTMLButtonElement>(null)
  const list = useRef<HTMLFieldSetElement>(null)
  const place = (): void => {
    const [at, shown] = [button.current?.getBoundingClientRect(), list.current]
    if (at === undefined || shown === null) return
    shown.style.top = `${at.bottom + 4}px`
    shown.style.left = `${Math.max(8, Math.min(at.left, window.innerWidth - 250))}px`
  }
  const names = chosen.map((value) => choices.find(([known]) => known === value)?.[1] ?? value)
  return (
    <>
      <button
        ref={button}
        type="button"
        className={`button choose-button${chosen.length > 0 ? ' choose-active' : ''}`}
        popoverTarget={id}
        aria-haspopup="true"
      >
        {name}
        {chosen.length > 0 && (
          <span className="choose-value">{names.length === 1 ? names[0] : `${names.length} chosen`}</span>
        )}
        <span aria-hidden="true" className="choose-arrow">
          ▾
        </span>
      </button>
      <fieldset
        ref={list}
        id={id}
        popover="auto"
        className="choose-list"
        onBeforeToggle={(event) => {
          if (event.newState === 'open') place()
        }}
      >
        <legend className="visually-hidden">{name}</legend>
        {choices.map(([value, label]) => (
          <label key={value} className="choose-item">
            <input
              type="checkbox"
              checked={chosen.includes(value)}
              onChange={(event) =>
                onChange(event.target.checked ? [...chosen, value] : chosen.filter((each) => each !== value))
              }
            />
            {label}
          </label>
        ))}
      </fieldset>
    </>
  )
}
