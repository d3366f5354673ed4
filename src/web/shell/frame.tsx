import { Suspense } from 'react'
import { NavLink, Outlet, ScrollRestoration } from 'react-router'
import { ThemeChoice } from './theme-choice.tsx'

/** Every screen but sign-in: where one is, where one can go, and the screen itself. */
export function Frame() {
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
            </NavLink>
          ))}
        </nav>
        <div className="frame-foot">
          <ThemeChoice />
        </div>
      </header>
      <main id="main" className="frame-main" tabIndex={-1}>
        <Suspense>
          <Outlet />
        </Suspense>
      </main>
      <ScrollRestoration />
    </div>
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
