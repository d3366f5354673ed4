import { useSyncExternalStore } from 'react'

const query = window.matchMedia('(max-width: 52rem)')
const subscribe = (listener: () => void): (() => void) => {
  query.addEventListener('change', listener)
  return () => query.removeEventListener('change', listener)
}

/** Whether the page is as narrow as on a phone: the same width as in the style sheets. */
export const useNarrow = (): boolean => useSyncExternalStore(subscribe, () => query.matches)
