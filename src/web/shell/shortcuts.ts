// shortcuts.ts: keys that do something by themselves. They can be switched off (WCAG 2.1.4), and never act where one types.

import { useEffect, useRef, useSyncExternalStore } from 'react'

const KEY = 'sop-shortcuts'
const listeners = new Set<() => void>()

let enabled = (() => {
  try {
    return localStorage.getItem(KEY) !== 'off'
  } catch {
    return true
  }
})()

export const useShortcutsEnabled = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => enabled,
  )

export function setShortcutsEnabled(value: boolean): void {
  enabled = value
  try {
    localStorage.setItem(KEY, value ? 'on' : 'off')
  } catch {
    // Then it holds until the page is closed.
  }
  for (const listener of listeners) listener()
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.closest('input, textarea, select, dialog') !== null)

/** Calls the handler of a key, while it is shown and shortcuts are on. */
export function useShortcuts(handlers: Readonly<Record<string, () => void>>): void {
  const last = useRef(handlers)
  useEffect(() => {
    last.current = handlers
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (!enabled || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
      if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return
      const handler = last.current[event.key]
      if (handler === undefined) return
      event.preventDefault()
      handler()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [])
}
