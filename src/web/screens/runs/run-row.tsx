import { memo, type CSSProperties } from 'react'
import { Link } from 'react-router'
import type { RunSummary } from '../../../core/run/view.ts'
import { PlainText } from '../../parts/plain-text.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { length } from '../../parts/time-text.ts'
import { Time, useNow } from '../../parts/time.tsx'
import { triggerName } from './filters.ts'
import { standing, waitsForPerson } from './waits.ts'

interface RunRowProps {
  readonly run: RunSummary
  readonly index: number
  readonly total: number
  readonly style: CSSProperties
  /** It is the one that the Tab key comes to. */
  readonly isCurrent: boolean
  /** It does not fit the filters any more. */
  readonly hasLeft: boolean
}

/** One run: how it stands, what it is, what it waits for, who began it, when. */
export const RunRow = memo(function RunRow({ run, index, total, style, isCurrent, hasLeft }: RunRowProps) {
  const text = standing(run)
  return (
    <li
      className={`run-row${waitsForPerson(run) ? ' run-waits' : ''}${hasLeft ? ' run-left' : ''}`}
      style={style}
      aria-setsize={total}
      aria-posinset={index + 1}
    >
      <Link
        to={`/runs/${encodeURIComponent(run.runId)}`}
        className="run-link"
        tabIndex={isCurrent ? 0 : -1}
        data-index={index}
      >
        <span className="run-state">
          <StateBadge state={run.status} />
        </span>
        <span className="run-what">
          <span className="run-name">
            <PlainText text={run.sopName} />
            {run.priority !== 'normal' && <span className={`priority priority-${run.priority}`}>{run.priority}</span>}
          </span>
          <span className="run-id">{run.runId}</span>
        </span>
        <span className="run-standing">
          {stepOf(run) !== '' && (run.status !== 'paused' || text === '') && (
            <span className="run-step tabular">{stepOf(run)}</span>
          )}
          {text !== '' && (
            // Why it is paused is the first thing that somebody wants to know: it gets both lines.
            <span className={run.status === 'paused' ? 'run-reason run-reason-long' : 'run-reason'} title={text}>
              <PlainText text={text} />
            </span>
          )}
        </span>
        <span className="run-by">
          <PlainText text={run.startedBy} />
          <span className="muted">{triggerName(run.trigger)}</span>
        </span>
        <span className="run-when">
          <Time at={run.createdAt} />
          <span className="muted tabular">
            <Took run={run} />
          </span>
        </span>
      </Link>
    </li>
  )
})

const stepOf = ({ currentStep, totalSteps, status }: RunSummary): string => {
  if (status === 'completed') return `${totalSteps} ${totalSteps === 1 ? 'step' : 'steps'}`
  return currentStep === null ? '' : `step ${currentStep} of ${totalSteps}`
}

/** How long it took, or takes so far. */
function Took({ run: { startedAt, completedAt } }: { readonly run: RunSummary }) {
  if (startedAt === undefined) return null
  if (completedAt === undefined) return <Running since={startedAt} />
  return <>{length(Date.parse(completedAt) - Date.parse(startedAt))}</>
}

function Running({ since }: { readonly since: string }) {
  return <>{length(useNow() - Date.parse(since))}</>
}
