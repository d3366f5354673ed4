import { useSyncExternalStore } from 'react'

/** What the viewer chose; `system` follows the device. */
export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const KEY = 'sop-theme'
const listeners = new Set<() => void>()

const stored = (): Theme => {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? 'system'
  } catch {
    // Storage may be switched off.
    return 'system'
  }
}

let current: Theme = stored()

/** Shows the page as the viewer chose. */
export function applyTheme(): void {
  document.documentElement.dataset['theme'] = current
}

export function setTheme(theme: Theme): void {
  current = theme
  try {
    localStorage.setItem(KEY, theme)
  } catch {
    // Then it holds until the page is closed.
  }
  applyTheme()
  for (const listener of listeners) listener()
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useTheme = (): Theme => useSyncExternalStore(subscribe, () => current)
