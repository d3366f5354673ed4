import { useSyncExternalStore } from 'react'
import type { NamedFilter } from './filters.ts'

// favourites.ts: filters that the viewer named, kept in this browser. Anybody else is sent their address.

const KEY = 'sop-run-filters'
const MOST = 20
const listeners = new Set<() => void>()

const isFilter = (value: unknown): value is NamedFilter => {
  const { name, address } = (value ?? {}) as Partial<Record<keyof NamedFilter, unknown>>
  return typeof name === 'string' && typeof address === 'string' && (address === '' || address.startsWith('?'))
}

const stored = (): readonly NamedFilter[] => {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(value) ? value.filter(isFilter).slice(0, MOST) : []
  } catch {
    // Storage may be switched off, or hold something else.
    return []
  }
}

let current = stored()

const change = (next: readonly NamedFilter[]): void => {
  current = next
  try {
    localStorage.setItem(KEY, JSON.stringify(next))
  } catch {
    // Then they hold until the page is closed.
  }
  for (const listener of listeners) listener()
}

/** The newest last; a name is there once. */
export const keepFavourite = (filter: NamedFilter): void =>
  change([...current.filter(({ name }) => name !== filter.name), filter].slice(-MOST))

export const dropFavourite = (name: string): void => change(current.filter((each) => each.name !== name))

const subscribe = (listener: () => void): (() => void) => {
  const onOtherTab = (event: StorageEvent): void => {
    if (event.key !== KEY) return
    current = stored()
    listener()
  }
  listeners.add(listener)
  window.addEventListener('storage', onOtherTab)
  return () => {
    listeners.delete(listener)
    window.removeEventListener('storage', onOtherTab)
  }
}

export const useFavourites = (): readonly NamedFilter[] => useSyncExternalStore(subscribe, () => current)
