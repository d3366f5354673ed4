import { useState } from 'react'
import type { Health } from '../../client/client.ts'
import { useHealth } from '../api/health.ts'
import { useLiveState } from '../api/live.ts'
import { Dialog } from '../parts/dialog.tsx'
import { PlainText } from '../parts/plain-text.tsx'
import { Time } from '../parts/time.tsx'

type Failing = readonly (readonly [name: string, check: Health['checks'][string]])[]

/** What of the engine does not work, over the foot of the page, so that nothing moves: whoever waits for a run sees why. */
export function HealthBanner() {
  const { data } = useHealth()
  const isLost = useLiveState() === 'lost'
  const [hidden, setHidden] = useState('')
  const [isOpen, setOpen] = useState(false)
  const failing: Failing = Object.entries(data?.checks ?? {}).filter(([, { ok }]) => !ok)
  const [first] = failing
  // What was put away comes back with the next thing that breaks.
  const names = failing.map(([name, { since }]) => `${name} ${since ?? ''}`).join()
  const shown = first !== undefined && !isLost && hidden !== names
  return (
    <>
      <div role="status" className="lost-place">
        {shown && (
          <div className="lost">
            <span className="health-text">
              <PlainText text={sentence(first)} />
              {failing.length > 1 && ` And ${failing.length - 1} more.`}
            </span>
            <span className="health-buttons">
              <button type="button" className="button button-small" onClick={() => setOpen(true)}>
                What to do
              </button>
              <button type="button" className="button button-small" onClick={() => setHidden(names)}>
                Hide
              </button>
            </span>
          </div>
        )}
      </div>
      {isOpen && <HealthDialog failing={failing} onClose={() => setOpen(false)} />}
    </>
  )
}

const sentence = ([name, { detail = `${name} does not work` }]: Failing[number]): string =>
  `${detail.slice(0, 1).toUpperCase()}${detail.slice(1)}.`

function HealthDialog({ failing, onClose }: { readonly failing: Failing; readonly onClose: () => void }) {
  return (
    <Dialog title={failing.length === 0 ? 'All of it works again' : 'What does not work'} onClose={onClose}>
      {failing.map(([name, check]) => (
        <section key={name} className="health-check">
          <h3>
            <PlainText text={name} />
            {check.since !== undefined && (
              <span className="muted small">
                {' '}
                since <Time at={check.since} as="both" />
              </span>
            )}
          </h3>
          <p>
            <PlainText text={sentence([name, check])} />
          </p>
          {check.help !== undefined && (
            <p className="muted">
              <PlainText text={check.help} />
            </p>
          )}
        </section>
      ))}
      <div className="dialog-buttons">
        <button type="button" className="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  )
}
