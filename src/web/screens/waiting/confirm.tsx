import { type FormEvent, useState } from 'react'
import type { Control } from '../../../core/run/controls.ts'
import type { WaitingItem } from '../../../core/run/waiting.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { focusFirst } from '../../parts/reason-field.tsx'
import { Script, Values } from './covered.tsx'
import { MEANING } from './meaning.ts'

interface ConfirmProps {
  readonly item: WaitingItem
  readonly control: Control
  readonly comment: string
  readonly onAnswer: (comment: string) => void
  readonly onClose: () => void
}

/** A second look before an answer that cannot be taken back, or that a single key asked for. */
export function Confirm({ item, control, comment: first, onAnswer, onClose }: ConfirmProps) {
  const [comment, setComment] = useState(first)
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    onAnswer(comment)
  }
  const isApproval = control.name === 'approve'
  const commands = isApproval && item.covered?.length === 1 ? (item.covered[0]?.commands ?? []) : []
  return (
    <Dialog title={`${control.label}: ${item.title.slice(0, 200)}`} onClose={onClose}>
      <form onSubmit={submit}>
        <p className="muted">
          <PlainText text={item.sopName} /> {item.stepNumber > 0 && `· step ${item.stepNumber} of ${item.totalSteps}`}
        </p>
        {!isApproval && MEANING[control.name] !== undefined && <p>{MEANING[control.name]}</p>}
        {isApproval && item.secondLook !== undefined && (
          <ul className="second-look">
            {item.secondLook.map((sentence) => (
              <li key={sentence}>
                <PlainText text={sentence} />
              </li>
            ))}
          </ul>
        )}
        {commands.map((script, index) => (
          <Script key={index} name={`Command ${index + 1}`} text={script} />
        ))}
        {isApproval && <Values title="With these params" values={item.params} />}
        <label className="field">
          <span>Comment for the record</span>
          <textarea
            ref={focusFirst}
            rows={2}
            maxLength={10_000}
            value={comment}
            onChange={(event) => setComment(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) onAnswer(comment)
            }}
          />
        </label>
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={onClose}>
            Back
          </button>
          <button type="submit" className={`button ${toneOf(control)}`}>
            {control.label}
          </button>
        </div>
      </form>
    </Dialog>
  )
}

const BAD: readonly Control['name'][] = ['reject', 'cancel', 'roll_back', 'fail']

/** How the button of an answer looks. */
export const toneOf = ({ name }: Control): string =>
  name === 'approve' || name === 'complete' ? 'button-good' : BAD.includes(name) ? 'button-bad' : 'button-primary'
