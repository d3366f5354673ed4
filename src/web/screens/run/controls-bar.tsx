import { useState } from 'react'
import type { Control } from '../../../client/client.ts'
import type { RunView } from '../../../core/run/view.ts'
import { DecideDialog, toneOf } from './decide.tsx'
import { ReasonedButtons } from './reasoned-buttons.tsx'

interface ControlsBarProps {
  readonly run: RunView
  readonly controls: readonly Control[]
  readonly onDone: () => void
  /** Says what the buttons are about. */
  readonly name: string
}

/** Every control that there is, with the reason of one that is not allowed. */
export function ControlsBar({ run, controls, onDone, name }: ControlsBarProps) {
  const [open, setOpen] = useState<Control>()
  return (
    <>
      <ReasonedButtons
        name={name}
        buttons={controls.map((control) => ({
          ...control,
          key: keyOf(control),
          tone: QUIET.has(control.name) || control.secondLook === true ? '' : toneOf(control),
        }))}
        onPress={(key) => setOpen(controls.find((control) => keyOf(control) === key))}
      />
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
    </>
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

const keyOf = ({ name, about, body }: Control): string =>
  `${name} ${about} ${body.gate ?? ''} ${body.step ?? ''} ${body.item ?? ''}`
