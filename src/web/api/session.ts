// session.ts: who looks at this page. A session may end while the page is open: then the page asks to sign in again, and
// goes on where it was.

import { useQuery } from '@tanstack/react-query'
import { useSyncExternalStore } from 'react'
import type { Principal } from '../../core/run/principal.ts'
import { queryClient } from './query-client.ts'
import { request, setUnauthenticatedListener } from './request.ts'

export interface SessionInfo {
  readonly principal: Principal
  readonly expiresAt?: string
  readonly version: string
  readonly temporalUiUrl?: string
}

const KEY = ['session'] as const

/** Who is signed in; its error says that nobody is. */
export const useSession = () =>
  useQuery({ queryKey: KEY, queryFn: ({ signal }) => request<SessionInfo>('/api/v1/session', { signal }) })

/** Who is signed in, as far as the page knows. */
export const knownSession = (): SessionInfo | undefined => queryClient.getQueryData<SessionInfo>(KEY)

/** Tabs of one browser share the cookie, so they tell each other. */
const channel = new BroadcastChannel('sop-session')
const listeners = new Set<() => void>()
let ended = false

const setEnded = (value: boolean): void => {
  if (ended === value) return
  ended = value
  for (const listener of listeners) listener()
}

/** Called when the engine does not know the session any more. */
export const noteSessionEnded = (): void => {
  if (knownSession() !== undefined) setEnded(true)
}
setUnauthenticatedListener(noteSessionEnded)

export const useSessionEnded = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => ended,
  )

/** Signs in by a pasted token or the code of a link; `onSignedIn` begins as soon as it may. @throws ApiProblem */
export async function signIn(
  credential: { readonly token: string } | { readonly code: string },
  onSignedIn?: () => Promise<void>,
): Promise<void> {
  await request<void>('/api/v1/session', { method: 'POST', body: credential, isSignIn: true })
  await Promise.all([goOn(), onSignedIn?.()])
  channel.postMessage('signed-in')
}

/** After signing in, here or in another tab: what is shown is asked for again. Somebody else begins with an empty page. */
async function goOn(): Promise<void> {
  const before = knownSession()
  const now = await request<SessionInfo>('/api/v1/session')
  if (before !== undefined && before.principal.id !== now.principal.id) {
    window.location.reload()
    return
  }
  queryClient.setQueryData(KEY, now)
  setEnded(false)
  if (before === undefined) return
  await queryClient.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== KEY[0] })
}

/** Forgets the session. One that has ended already is asked for again, as everywhere. */
export async function signOut(): Promise<void> {
  try {
    await request<void>('/api/v1/session', { method: 'DELETE' })
  } catch {
    return
  }
  channel.postMessage('signed-out')
  window.location.assign('/login')
}

/** Looks whether another tab has signed in meanwhile. */
const lookAgain = async (): Promise<void> => {
  if (ended) await goOn().catch(() => {})
}

channel.addEventListener('message', ({ data }) => {
  if (data === 'signed-in') void lookAgain()
  else noteSessionEnded()
})
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void lookAgain()
})
