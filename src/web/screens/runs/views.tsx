import { useId, useState } from 'react'
import { Link } from 'react-router'
import { Dialog } from '../../parts/dialog.tsx'
import { dropFavourite, keepFavourite, useFavourites } from './favourites.ts'
import { VIEWS } from './filters.ts'

/** Filters at hand: those that everybody has, and the viewer's own. The one that is shown can be kept. */
export function Views({ address }: { readonly address: string }) {
  const favourites = useFavourites()
  const [isNaming, setNaming] = useState(false)
  const known = [...VIEWS, ...favourites]
  const kept = favourites.find((each) => each.address === address)
  return (
    <nav className="views" aria-label="Saved filters">
      {known.map(({ name, address: to }, at) => (
        <Link
          key={`${at < VIEWS.length ? '' : '★'}${name}`}
          to={`/runs${to}`}
          className="view-link"
          aria-current={to === address ? 'page' : undefined}
        >
          {at >= VIEWS.length && <span aria-hidden="true">★ </span>}
          {name}
        </Link>
      ))}
      {kept !== undefined ? (
        <button type="button" className="button button-plain" onClick={() => dropFavourite(kept.name)}>
          Forget “{kept.name}”
        </button>
      ) : (
        !known.some((each) => each.address === address) && (
          <button type="button" className="button button-plain" onClick={() => setNaming(true)}>
            Keep this filter…
          </button>
        )
      )}
      {isNaming && <Naming address={address} onClose={() => setNaming(false)} />}
    </nav>
  )
}

function Naming({ address, onClose }: { readonly address: string; readonly onClose: () => void }) {
  const id = useId()
  const [name, setName] = useState('')
  return (
    <Dialog title="Keep this filter" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (name.trim() === '') return
          keepFavourite({ name: name.trim(), address })
          onClose()
        }}
      >
        <p className="muted">It stays in this browser. To share it, send the address of this page.</p>
        <div className="field">
          <label htmlFor={id} className="field-name">
            Name
          </label>
          <input id={id} value={name} maxLength={40} required onChange={(event) => setName(event.target.value)} />
        </div>
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button button-primary">
            Keep
          </button>
        </div>
      </form>
    </Dialog>
  )
}
