import { Link } from 'react-router'
import type { RunSummary } from '../../../core/run/view.ts'
import { Empty } from '../../parts/empty.tsx'
import { ErrorBox } from '../../parts/error-box.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { length } from '../../parts/time-text.ts'
import { Time } from '../../parts/time.tsx'
import { useRefreshByRuns } from '../../parts/use-refresh.ts'
import { triggerName } from '../runs/filters.ts'
import { standing } from '../runs/waits.ts'
import { useLastRuns } from './sop-queries.ts'

/** Runs that are shown here; the list of runs has the others. */
const LIMIT = 60

/** The last runs of an SOP: how long each took, as bars and as a table. */
export function History({ name }: { readonly name: string }) {
  const { data, error, refetch } = useLastRuns(name, LIMIT)
  useRefreshByRuns([['sop', name, 'runs']], ({ sopName }) => sopName === name)
  if (error !== null) return <ErrorBox title="The runs cannot be shown" error={error} retry={() => void refetch()} />
  if (data === undefined) return <div className="sop-loading" aria-busy="true" />
  if (data.runs.length === 0)
    return (
      <Empty title="It has not run yet">
        <p>
          <Link to={`/sops/${encodeURIComponent(name)}?tab=start`}>Start it</Link>, or type <code>sop run {name}</code>.
        </p>
      </Empty>
    )
  return (
    <>
      <Bars runs={[...data.runs].reverse()} />
      <div className="scroll-x card" tabIndex={0} role="region" aria-label="Last runs">
        <table className="history-table">
          <thead>
            <tr>
              <th scope="col">Run</th>
              <th scope="col">State</th>
              <th scope="col">Begun</th>
              <th scope="col">Took</th>
              <th scope="col">By</th>
              <th scope="col">Why it stands or ended so</th>
            </tr>
          </thead>
          <tbody>
            {data.runs.map((run) => (
              <tr key={run.runId}>
                <td>
                  <Link to={`/runs/${encodeURIComponent(run.runId)}`}>
                    <code>{run.runId.replace(/^sop_run_/, '')}</code>
                  </Link>
                </td>
                <td>
                  <StateBadge state={run.status} />
                </td>
                <td>
                  <Time at={run.createdAt} as="absolute" />
                </td>
                <td className="tabular">{tookMs(run) === undefined ? '' : length(tookMs(run) ?? 0)}</td>
                <td>
                  <PlainText text={run.startedBy} /> <span className="muted">{triggerName(run.trigger)}</span>
                </td>
                <td>
                  <PlainText text={standing(run)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="small">
        <Link to={`/runs?sop=${encodeURIComponent(name)}`}>
          All {data.total?.toLocaleString()}
          {data.more === true ? '+' : ''} runs of {name}
        </Link>
        {' · '}
        <Link to={`/insights?sop=${encodeURIComponent(name)}`}>Metrics</Link>
      </p>
    </>
  )
}

const tookMs = ({ startedAt, completedAt }: RunSummary): number | undefined =>
  startedAt === undefined || completedAt === undefined ? undefined : Date.parse(completedAt) - Date.parse(startedAt)

const WIDTH = 600
const HEIGHT = 64

/** How long the runs took, the oldest first. The table below says the same. */
function Bars({ runs }: { readonly runs: readonly RunSummary[] }) {
  const longest = Math.max(...runs.map((run) => tookMs(run) ?? 0), 1)
  const step = WIDTH / runs.length
  return (
    <figure className="history-bars">
      <figcaption className="small muted">
        How long the last {runs.length} runs took, waits for people included; at most {length(longest)}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {runs.map((run, at) => {
          const high = Math.max(2, ((tookMs(run) ?? 0) / longest) * HEIGHT)
          return (
            <rect
              key={run.runId}
              className={`bar bar-${run.status}`}
              x={at * step + step * 0.12}
              width={Math.min(step * 0.76, 22)}
              y={HEIGHT - high}
              height={high}
            />
          )
        })}
      </svg>
    </figure>
  )
}
