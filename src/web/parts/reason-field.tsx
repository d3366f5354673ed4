import { useId } from 'react'

interface ReasonFieldProps {
  readonly label: 'Reason' | 'Comment'
  readonly value: string
  readonly onChange: (value: string) => void
}

/** What a dialog asks for the record. It has the focus when the dialog opens. */
export function ReasonField({ label, value, onChange }: ReasonFieldProps) {
  const id = useId()
  return (
    <label className="field" htmlFor={id}>
      <span>{label}</span>
      <textarea
        id={id}
        rows={2}
        maxLength={10_000}
        ref={focusFirst}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  )
}

/** The dialog gives the focus to what has this attribute; React would set the focus before the dialog is open. */
export const focusFirst = (element: HTMLElement | null): void => element?.setAttribute('autofocus', '')
