import { Link } from 'react-router'
import './link-tabs.css'

interface LinkTabsProps {
  readonly label: string
  readonly tabs: readonly { readonly name: string; readonly to: string; readonly note?: string }[]
  readonly current: string
}

/** Parts of a screen, each with an address of its own. */
export function LinkTabs({ label, tabs, current }: LinkTabsProps) {
  return (
    <nav className="link-tabs" aria-label={label}>
      {tabs.map(({ name, to, note }) => (
        <Link
          key={to}
          to={to}
          className="link-tab"
          preventScrollReset
          aria-current={to === current ? 'page' : undefined}
        >
          {name}
          {note !== undefined && <span className="link-tab-note tabular">{note}</span>}
        </Link>
      ))}
    </nav>
  )
}
