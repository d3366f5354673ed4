import { Link } from 'react-router'
import { Empty } from '../../parts/empty.tsx'
import { ErrorBox } from '../../parts/error-box.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { Time } from '../../parts/time.tsx'
import { useRefreshByRuns } from '../../parts/use-refresh.ts'
import { triggerName } from '../runs/filters.ts'
import { type Trigger, useTriggers } from './trigger-queries.ts'
import { Verdict } from './verdict.tsx'

/** Every trigger of every SOP, with what it did last. */
export function TriggerList() {
  const { data, error, refetch } = useTriggers()
  useRefreshByRuns([['triggers']], ({ trigger }) => trigger !== 'manual')
  if (error !== null)
    return <ErrorBox title="The triggers cannot be shown" error={error} retry={() => void refetch()} />
  if (data === undefined) return <div className="tab-loading" aria-busy="true" />
  if (data.triggers.length === 0) {
    return (
      <Empty title="No triggers yet">
        <p>
          SOPs begin by hand until a manifest names a trigger: a schedule, a webhook, an event, a file, a message. See{' '}
          <Link to="/sops">the SOPs</Link>.
        </p>
      </Empty>
    )
  }
  return (
    <div className="scroll-x card" tabIndex={0} role="region" aria-label="Triggers">
      <table className="trigger-table">
        <thead>
          <tr>
            <th scope="col">SOP</th>
            <th scope="col">Type</th>
            <th scope="col">Waits for</th>
            <th scope="col">Last</th>
          </tr>
        </thead>
        <tbody>
          {data.triggers.map((trigger) => (
            <TriggerRow key={`${trigger.sop} ${trigger.trigger}`} trigger={trigger} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function TriggerRow({
  trigger: { sop, type, awaits, condition, problem, served, last, lastRun },
}: {
  readonly trigger: Trigger
}) {
  return (
    <tr>
      <td>
        <Link to={`/sops/${encodeURIComponent(sop)}`}>
          <PlainText text={sop} />
        </Link>
      </td>
      <td>{triggerName(type)}</td>
      <td>
        <code>
          <PlainText text={awaits} />
        </code>
        {condition !== undefined && (
          <div className="small muted">
            if <PlainText text={condition} />
          </div>
        )}
        {(problem !== undefined || !served) && (
          <div className="small trigger-problem">
            <PlainText text={problem ?? 'This engine does not serve it'} />
          </div>
        )}
      </td>
      <td>
        {lastRun !== undefined && (
          <div>
            <Link to={`/runs/${encodeURIComponent(lastRun.runId)}`}>started</Link> <Time at={lastRun.at} />
          </div>
        )}
        {last === undefined ? (
          lastRun === undefined && <span className="muted">nothing yet</span>
        ) : (
          <>
            <Verdict verdict={last.verdict} /> <Time at={last.at} />{' '}
            <Link
              className="small"
              to={`/schedules?tab=deliveries&sop=${encodeURIComponent(sop)}&source=${encodeURIComponent(type)}`}
            >
              all<span className="visually-hidden"> deliveries of {sop}</span>
            </Link>
          </>
        )}
      </td>
    </tr>
  )
}
