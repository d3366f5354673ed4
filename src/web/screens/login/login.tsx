import { useEffect, useRef, useState } from 'react'
import { useLocation, useNavigate } from 'react-router'
import { problemOf } from '../../api/problem.ts'
import { knownSession, signIn, useSession } from '../../api/session.ts'
import { prefetchWaiting } from '../../api/waiting.ts'
import { ErrorBox } from '../../parts/error-box.tsx'
import { useTabTitle } from '../../parts/screen.tsx'
import { SignInForm } from '../../shell/sign-in-form.tsx'

/** Sign-in: by the code of a one-time link, which stands behind `#`, or by a pasted token. */
export function Component() {
  useTabTitle('Sign in')
  const { search } = useLocation()
  const navigate = useNavigate()
  const next = nextIn(search)
  const session = useSession()
  const [code] = useState(codeIn)
  const [error, setError] = useState<unknown>()
  const isSpent = useRef(false)
  useEffect(() => {
    if (code === undefined || isSpent.current) return
    isSpent.current = true
    // The address is kept by the browser's history; the code is not to be.
    window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search)
    // What comes next is fetched while the engine looks at the code.
    if (next === '/') void import('../waiting/waiting.tsx')
    signIn({ code }, next === '/' ? prefetchWaiting : undefined).then(
      () => navigate(next, { replace: true }),
      (reason: unknown) =>
        knownSession() === undefined ? setError(problemOf(reason)) : void navigate(next, { replace: true }),
    )
  }, [code, navigate, next])
  useEffect(() => {
    if (code === undefined && session.data !== undefined) void navigate(next, { replace: true })
  }, [code, navigate, next, session.data])
  if (code !== undefined && error === undefined) return <p className="login muted">Signing in …</p>
  return (
    <main id="main" className="login">
      <h1>Sign in to SOP Engine</h1>
      {error !== undefined && <ErrorBox title="This link does not sign in" error={error} />}
      <SignInForm onDone={() => void navigate(next, { replace: true })} />
    </main>
  )
}

const codeIn = (): string | undefined => new URLSearchParams(window.location.hash.slice(1)).get('code') ?? undefined

/** Where to go afterwards: an address of this page, whatever the link says. */
function nextIn(search: string): string {
  const wanted = new URLSearchParams(search).get('next') ?? '/'
  if (!URL.canParse(wanted, window.location.origin)) return '/'
  const url = new URL(wanted, window.location.origin)
  return url.origin === window.location.origin && !url.pathname.startsWith('/login') ? url.pathname + url.search : '/'
}
