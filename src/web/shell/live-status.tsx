import { useEffect, useState } from 'react'
import { reconnect, useLiveState } from '../api/live.ts'

const WORDS = { live: 'Live', connecting: 'Connecting …', resting: 'Resting', lost: 'Reconnecting …' } as const

/** Whether what is shown is as it is now. It keeps its place whatever it says. */
export function LiveStatus() {
  const state = useLiveState()
  return (
    <p className={`live live-${state}`}>
      <span className="live-dot" aria-hidden="true" />
      {WORDS[state]}
    </p>
  )
}

/** A connection that is lost for a moment is no news. */
const PATIENCE_MS = 1_200

/** Over the foot of the page, so that nothing moves: what one sees may be old. */
export function LostBanner() {
  const isLost = useLiveState() === 'lost'
  const [shown, setShown] = useState(false)
  useEffect(() => {
    if (!isLost) {
      setShown(false)
      return
    }
    const timer = setTimeout(() => setShown(true), PATIENCE_MS)
    return () => clearTimeout(timer)
  }, [isLost])
  return (
    <div role="status" className="lost-place">
      {shown && (
        <div className="lost">
          <span>Connection lost, reconnecting … What you see may be out of date.</span>
          <button type="button" className="button" onClick={reconnect}>
            Try now
          </button>
        </div>
      )}
    </div>
  )
}
