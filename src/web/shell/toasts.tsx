import { useSyncExternalStore } from 'react'
import { PlainText } from '../parts/plain-text.tsx'

// toasts.tsx: what just happened, said once, by eye and by ear; it covers nothing that one works with.

interface Toast {
  readonly id: number
  readonly text: string
}

const SHOWN_MS = 6_000
let toasts: readonly Toast[] = []
let nextId = 1
const listeners = new Set<() => void>()

const set = (next: readonly Toast[]): void => {
  toasts = next
  for (const listener of listeners) listener()
}

/** Says what happened. It stands for six seconds; nothing that has to be read stands here alone. */
export function say(text: string): void {
  const toast = { id: nextId++, text }
  set([...toasts.slice(-3), toast])
  setTimeout(() => set(toasts.filter((other) => other !== toast)), SHOWN_MS)
}

/** Where it is said. */
export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => toasts,
  )
  return (
    <div className="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text }) => (
        <p key={id} className="toast">
          <PlainText text={text} />
        </p>
      ))}
    </div>
  )
}
