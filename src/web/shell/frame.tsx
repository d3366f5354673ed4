import { Suspense, useEffect } from 'react'
import { Navigate, NavLink, Outlet, ScrollRestoration, useLocation } from 'react-router'
import { startLive, stopLive } from '../api/live.ts'
import { problemOf } from '../api/problem.ts'
import { signOut, useSession, useSessionEnded } from '../api/session.ts'
import { useFreshWaiting, useWaiting } from '../api/waiting.ts'
import { Dialog } from '../parts/dialog.tsx'
import { ErrorBox } from '../parts/error-box.tsx'
import { PlainText } from '../parts/plain-text.tsx'
import { setTabCount } from '../parts/screen.tsx'
import { HealthBanner } from './health-banner.tsx'
import { LiveStatus, LostBanner } from './live-status.tsx'
import { SignInForm } from './sign-in-form.tsx'
import { ThemeChoice } from './theme-choice.tsx'
import { Toasts } from './toasts.tsx'

/** Every screen but sign-in: where one is, where one can go, and the screen itself. */
export function Frame() {
  const session = useSession()
  const { pathname, search } = useLocation()
  if (session.data === undefined) {
    if (session.error === null) return null
    if (problemOf(session.error).code === 'unauthenticated') {
      const here = pathname + search
      return <Navigate to={here === '/' ? '/login' : `/login?next=${encodeURIComponent(here)}`} replace />
    }
    return (
      <main className="screen">
        <ErrorBox title="The page cannot begin" error={session.error} retry={() => void session.refetch()} />
      </main>
    )
  }
  return (
    <div className="frame">
      <a className="skip-link" href="#main">
        Skip to content
      </a>
      <header className="frame-side">
        <NavLink to="/" className="brand" aria-label="SOP Engine: waiting for me">
          <img src={icon} alt="" width="22" height="22" />
          <span>SOP Engine</span>
        </NavLink>
        <nav aria-label="Main" className="nav">
          {SCREENS.map(({ to, name }) => (
            <NavLink key={to} to={to} end={to === '/'} className="nav-link">
              {name}
              {to === '/' && <WaitingCount />}
            </NavLink>
          ))}
        </nav>
        <div className="frame-foot">
          <LiveStatus />
          <ThemeChoice />
          <div className="who">
            <span
              className="who-name"
              title={`${session.data.principal.id}, ${session.data.principal.role ?? 'no role'}`}
            >
              <PlainText text={session.data.principal.id} />
            </span>
            <button type="button" className="button button-plain" onClick={() => void signOut()}>
              Sign out
            </button>
          </div>
        </div>
      </header>
      <main id="main" className="frame-main" tabIndex={-1}>
        <Suspense>
          <Outlet />
        </Suspense>
      </main>
      <Live />
      <Toasts />
      <LostBanner />
      <HealthBanner />
      <SessionEnded />
      <ScrollRestoration />
    </div>
  )
}

/** The stream of this page, for as long as somebody is signed in. */
function Live() {
  const isEnded = useSessionEnded()
  useFreshWaiting()
  useEffect(() => {
    if (isEnded) stopLive()
    else startLive()
  }, [isEnded])
  return null
}

/** How many wait for the viewer: beside the name of the screen, and in the title of the tab. */
function WaitingCount() {
  const mine = useWaiting().data?.mine ?? 0
  useEffect(() => setTabCount(mine), [mine])
  if (mine === 0) return null
  return (
    <span className="count">
      {mine}
      <span className="visually-hidden"> for you</span>
    </span>
  )
}

/** Over whatever is on the screen, which keeps what was typed. */
function SessionEnded() {
  if (!useSessionEnded()) return null
  return (
    <Dialog title="Your session has ended" onClose={() => {}}>
      <p>Sign in again, and go on where you were: what you typed is still there.</p>
      <SignInForm />
    </Dialog>
  )
}

const icon = new URL('../icon.svg', import.meta.url).href

const SCREENS = [
  { to: '/', name: 'Waiting' },
  { to: '/runs', name: 'Runs' },
  { to: '/sops', name: 'SOPs' },
  { to: '/schedules', name: 'Schedules' },
  { to: '/insights', name: 'Metrics' },
] as const
