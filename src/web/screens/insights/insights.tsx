import { useQuery } from '@tanstack/react-query'
import { Link, useSearchParams } from 'react-router'
import type { MetricsReport } from '../../../client/client.ts'
import { request } from '../../api/request.ts'
import { Empty } from '../../parts/empty.tsx'
import { ErrorBox } from '../../parts/error-box.tsx'
import '../../parts/lists.css'
import { Screen } from '../../parts/screen.tsx'
import { useSops } from '../sop/sop-queries.ts'
import { DayBars, DayLines } from './day-charts.tsx'
import { percent, span } from './figures.ts'
import './insights.css'
import { People } from './people.tsx'
import { SopTable, StepTable } from './tables.tsx'

const PERIODS = ['7', '30', '90'] as const

/** What runs came to: how many went well, how long they took, and how long they waited for whom. */
export function Component() {
  const [search, setSearch] = useSearchParams()
  const days = PERIODS.find((each) => each === search.get('days')) ?? '30'
  const sop = search.get('sop') ?? ''
  const address = new URLSearchParams({ days, ...(sop !== '' && { sop }) }).toString()
  const sops = useSops()
  const { data, error, refetch } = useQuery({
    queryKey: ['metrics', address],
    queryFn: ({ signal }) => request<MetricsReport>(`/api/v1/metrics?${address}`, { signal }),
    refetchOnMount: 'always',
    refetchOnWindowFocus: true,
    // Days go by while it is open.
    refetchInterval: 60_000,
    placeholderData: (before) => before,
  })
  const names = sops.data?.sops.map(({ name }) => name) ?? []
  const set = (key: 'days' | 'sop', value: string): void => {
    const next = new URLSearchParams({ days, sop })
    next.set(key, value)
    if (next.get('sop') === '') next.delete('sop')
    setSearch(next, { preventScrollReset: true })
  }
  return (
    <Screen
      title="Metrics"
      aside={
        data === undefined ? undefined : (
          <span className="muted small">
            {data.from} to {data.to}, days in UTC
          </span>
        )
      }
    >
      <div className="filter-bar">
        <select
          className={`input filter-select${sop === '' ? '' : ' choose-active'}`}
          aria-label="SOP"
          value={sop}
          onChange={(event) => set('sop', event.target.value)}
        >
          <option value="">All SOPs</option>
          {(sop === '' || names.includes(sop) ? names : [sop, ...names]).map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <fieldset className="periods">
          <legend className="visually-hidden">Period</legend>
          {PERIODS.map((each) => (
            <label key={each} className="period">
              <input type="radio" name="days" checked={each === days} onChange={() => set('days', each)} />
              {each} days
            </label>
          ))}
        </fieldset>
      </div>
      {error !== null && data === undefined ? (
        <ErrorBox title="The metrics cannot be shown" error={error} retry={() => void refetch()} />
      ) : data === undefined ? (
        <div className="tab-loading" aria-busy="true" />
      ) : data.total.created === 0 && data.sops.length === 0 ? (
        <Empty title={`Nothing ran in the last ${days} days`}>
          <p>
            Figures come with the first run. <Link to="/sops">Choose an SOP</Link> and start it.
          </p>
        </Empty>
      ) : (
        <Report report={data} />
      )}
    </Screen>
  )
}

function Report({ report }: { readonly report: MetricsReport }) {
  const { total, daily } = report
  const { approvals, people } = total
  const byTimer = approvals.approvedByTimer + approvals.rejectedByTimer
  return (
    <>
      <dl className="tiles">
        <Tile
          name="Runs begun"
          value={total.created.toLocaleString()}
          note={`${total.refused.toLocaleString()} refused`}
        />
        <Tile
          name="Went well"
          value={percent(total.successRate)}
          note={`${total.completed.toLocaleString()} completed, ${total.failed.toLocaleString()} failed`}
        />
        <Tile
          name="Duration p50"
          value={span(total.elapsed.p50Ms)}
          note={`p95 ${span(total.elapsed.p95Ms)}, waits included`}
        />
        <Tile
          name="Working time p50"
          value={span(total.working.p50Ms)}
          note={`p95 ${span(total.working.p95Ms)}, without waits`}
        />
        <Tile
          name="Waited at gates"
          value={span(approvals.wait.count === 0 ? null : approvals.wait.totalMs)}
          note={`a gate: p50 ${span(approvals.wait.p50Ms)}, p95 ${span(approvals.wait.p95Ms)}`}
        />
        <Tile
          name="Decided by the timer"
          value={byTimer.toLocaleString()}
          note={`${approvals.approvedByTimer.toLocaleString()} approved; people: ${(approvals.approved + approvals.rejected).toLocaleString()}`}
        />
        <Tile
          name="Needed a person unasked"
          value={percent(people.unplannedRate)}
          note="retry, skip, resume or cancel"
        />
      </dl>
      <DayBars daily={daily} />
      <DayLines daily={daily} />
      <People report={report} />
      {report.sop === null ? <SopTable sops={report.sops} days={report.days} /> : <StepTable steps={report.steps} />}
      <p className="muted small">
        p50: half of them took that long at most; p95: 95 of 100. They are off by {percent(report.quantileError)} at
        most. The same figures: <code>sop metrics{report.sop === null ? '' : ` ${report.sop}`}</code>
      </p>
    </>
  )
}

function Tile({ name, value, note }: { readonly name: string; readonly value: string; readonly note: string }) {
  return (
    <div className="tile card">
      <dt>{name}</dt>
      <dd>
        <span className="tile-value tabular">{value}</span>
        <span className="tile-note">{note}</span>
      </dd>
    </div>
  )
}
