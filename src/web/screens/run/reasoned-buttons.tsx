import { useId, useState } from 'react'

interface ReasonedButton {
  readonly key: string
  readonly label: string
  readonly allowed: boolean
  /** Why it is not allowed. */
  readonly reason?: string
  /** Class of how it looks, where it is allowed. */
  readonly tone: string
}

interface ReasonedButtonsProps {
  /** Says what the buttons are about. */
  readonly name: string
  readonly buttons: readonly ReasonedButton[]
  readonly onPress: (key: string) => void
}

/** Buttons, of which one that is not allowed takes the focus all the same, and says why: on hovering, with the focus and by a press. */
export function ReasonedButtons({ name, buttons, onPress }: ReasonedButtonsProps) {
  const [asked, setAsked] = useState<string>()
  const id = useId()
  const shown = buttons.find(({ key, allowed }) => key === asked && !allowed)
  return (
    <div className="controls" role="group" aria-label={name}>
      <div className="controls-buttons">
        {buttons.map(({ key, label, allowed, reason, tone }, index) => {
          const reasonId = `${id}-${index}`
          return (
            <span key={key}>
              <button
                type="button"
                className={`button button-small ${allowed ? tone : ''}`}
                aria-disabled={!allowed}
                {...(!allowed && { 'aria-describedby': reasonId, title: reason })}
                onFocus={() => setAsked(allowed ? undefined : key)}
                onBlur={() => setAsked(undefined)}
                onClick={() => (allowed ? onPress(key) : setAsked(key))}
              >
                {label}
              </button>
              {!allowed && (
                <span id={reasonId} className="visually-hidden">
                  {reason}
                </span>
              )}
            </span>
          )
        })}
      </div>
      <p className="controls-reason muted small" role="status">
        {shown === undefined ? '' : `${shown.label}: ${shown.reason}`}
      </p>
    </div>
  )
}
