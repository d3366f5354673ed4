import { useId, useState } from 'react'
import type { Control } from '../../../client/client.ts'
import type { RunView } from '../../../core/run/view.ts'
import { DecideDialog, toneOf } from './decide.tsx'

interface ControlsBarProps {
  readonly run: RunView
  readonly controls: readonly Control[]
  readonly onDone: () => void
  /** Says what the buttons are about. */
  readonly name: string
}

/**
 * Every control that there is. One that is not allowed takes the focus all the same, and says why: on hovering, with the focus
 * and by a press.
 */
export function ControlsBar({ run, controls, onDone, name }: ControlsBarProps) {
  const [open, setOpen] = useState<Control>()
  const [asked, setAsked] = useState<string>()
  const id = useId()
  const shown = controls.find((control) => keyOf(control) === asked && !control.allowed)
  return (
    <div className="controls" role="group" aria-label={name}>
      <div className="controls-buttons">
        {controls.map((control, index) => {
          const key = keyOf(control)
          const reasonId = `${id}-${index}`
          return (
            <span key={key}>
              <button
                type="button"
                className={`button button-small ${control.allowed && !QUIET.has(control.name) ? toneOf(control) : ''}`}
                aria-disabled={!control.allowed}
                {...(!control.allowed && { 'aria-describedby': reasonId, title: control.reason })}
                onFocus={() => setAsked(control.allowed ? undefined : key)}
                onBlur={() => setAsked(undefined)}
                onClick={() => (control.allowed ? setOpen(control) : setAsked(key))}
              >
                {control.label}
              </button>
              {!control.allowed && (
                <span id={reasonId} className="visually-hidden">
                  {control.reason}
                </span>
              )}
            </span>
          )
        })}
      </div>
      <p className="controls-reason muted small" role="status">
        {shown === undefined ? '' : `${shown.label}: ${shown.reason}`}
      </p>
      {open !== undefined && (
        <DecideDialog
          run={run}
          control={open}
          onClose={() => setOpen(undefined)}
          onDone={() => {
            setOpen(undefined)
            onDone()
          }}
        />
      )}
    </div>
  )
}

/** What is seldom the next thing to do does not call for attention. */
const QUIET: ReadonlySet<Control['name']> = new Set([
  'pause',
  'skip',
  'cancel',
  'roll_back',
  'retry_from',
  'reject',
  'fail',
])

const keyOf = ({ name, body }: Control): string => `${name} ${body.gate ?? ''} ${body.step ?? ''} ${body.item ?? ''}`
