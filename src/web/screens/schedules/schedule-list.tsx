import { useMemo, useState } from 'react'
import { Link } from 'react-router'
import { Empty } from '../../parts/empty.tsx'
import { ErrorBox } from '../../parts/error-box.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { Time } from '../../parts/time.tsx'
import { length } from '../../parts/time-text.ts'
import { useRefreshByRuns } from '../../parts/use-refresh.ts'
import { DayScale, daysOf, FireStrip } from './fire-strip.tsx'
import { ScheduleActions } from './schedule-actions.tsx'
import { type Fire, MOST_FIRES, type Schedule, useSchedules, useUpcoming } from './trigger-queries.ts'

const DAY_MS = 86_400_000
const SPANS = [
  [1, 'Next day'],
  [7, 'Next 7 days'],
  [30, 'Next 30 days'],
] as const

/** The schedules with what they will start, on a strip of days. */
export function ScheduleList() {
  const { data, error, refetch } = useSchedules()
  useRefreshByRuns([['schedules']], ({ trigger }) => trigger === 'cron')
  const [days, setDays] = useState<number>(7)
  // To the minute, so that a screen that is drawn again asks nothing new.
  const [nowMs] = useState(() => Math.floor(Date.now() / 60_000) * 60_000)
  const span = useMemo(() => ({ fromMs: nowMs, toMs: nowMs + days * DAY_MS }), [nowMs, days])
  const upcoming = useUpcoming(new Date(span.fromMs).toISOString(), new Date(span.toMs).toISOString())
  if (error !== null) {
    return <ErrorBox title="The schedules cannot be shown" error={error} retry={() => void refetch()} />
  }
  if (data === undefined) return <div className="tab-loading" aria-busy="true" />
  if (data.schedules.length === 0) {
    return (
      <Empty title="No schedules yet">
        <p>
          An SOP with a trigger of type <code>cron</code> begins runs by itself. Write one into the manifest of{' '}
          <Link to="/sops">an SOP</Link>, and it stands here within a second.
        </p>
      </Empty>
    )
  }
  const fires = upcoming.data?.fires ?? []
  return (
    <>
      <div className="schedule-head">
        <select
          className="input filter-select"
          aria-label="Time shown"
          value={days}
          onChange={(event) => setDays(Number(event.target.value))}
        >
          {SPANS.map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </select>
        <DayScale days={daysOf(span)} span={span} />
      </div>
      {upcoming.error !== null && <ErrorBox title="What is to come cannot be shown" error={upcoming.error} />}
      <ul className="schedule-list">
        {data.schedules.map((schedule) => (
          <ScheduleRow
            key={schedule.id}
            schedule={schedule}
            fires={fires.filter((fire) => fire.schedule === schedule.id)}
            span={span}
          />
        ))}
      </ul>
      {fires.length >= MOST_FIRES && <p className="muted small">Only the first {MOST_FIRES} fires are shown.</p>}
      <Blocked fires={fires} schedules={data.schedules} />
    </>
  )
}

const TONES = { active: 'good', paused: 'warn', missing: 'bad' } as const

interface ScheduleRowProps {
  readonly schedule: Schedule
  readonly fires: readonly Fire[]
  readonly span: { readonly fromMs: number; readonly toMs: number }
}

function ScheduleRow({ schedule, fires, span }: ScheduleRowProps) {
  const [next] = schedule.next
  const [last] = schedule.recent
  const blockedNow = fires.find(({ at }) => at === next)?.blocked
  const notes = [
    ...(schedule.overlap === undefined || schedule.overlap === 'allow_all' ? [] : [`overlap ${schedule.overlap}`]),
    ...(schedule.jitterMs === undefined || schedule.jitterMs === 0 ? [] : [`jitter ${length(schedule.jitterMs)}`]),
    ...Object.entries(schedule.params ?? {}).map(([name, value]) => `${name}=${JSON.stringify(value)}`),
  ]
  return (
    <li className="card schedule-row" aria-label={`Schedule of ${schedule.sop}`}>
      <div className="schedule-what">
        <h2>
          <Link to={`/sops/${encodeURIComponent(schedule.sop)}`}>
            <PlainText text={schedule.sop} />
          </Link>
          <span className={`badge badge-${TONES[schedule.state]}`}>{schedule.state}</span>
        </h2>
        <p className="small">
          <code>{schedule.expression}</code> <span className="muted">{schedule.timezone}</span>
        </p>
        {notes.length > 0 && (
          <p className="small muted">
            <PlainText text={notes.join(' · ')} />
          </p>
        )}
      </div>
      <FireStrip fires={fires} span={span} isPaused={schedule.state !== 'active'} />
      <div className="schedule-times small">
        <span>
          {schedule.state === 'active' ? 'Next ' : 'Would be '}
          {next === undefined ? <span className="muted">never</span> : <Time at={next} as="both" />}
          {blockedNow !== undefined && <span className="schedule-paused"> (starts nothing)</span>}
        </span>
        {last !== undefined && (
          <span>
            Last <Time at={last.scheduledAt} />{' '}
            <Link to={`/runs/${encodeURIComponent(last.runId)}`}>{last.status?.replaceAll('_', ' ') ?? 'its run'}</Link>
          </span>
        )}
        {schedule.state === 'paused' && (
          <span className="schedule-paused">
            paused by <PlainText text={schedule.pausedBy ?? 'somebody'} />
            {schedule.pauseReason !== undefined && (
              <>
                : <PlainText text={schedule.pauseReason} />
              </>
            )}
          </span>
        )}
        {schedule.broken !== undefined && (
          <span className="schedule-broken">
            <PlainText text={schedule.broken} />
          </span>
        )}
      </div>
      <ScheduleActions schedule={schedule} />
    </li>
  )
}

/** Fires that start nothing, and why: a blackout, a holiday, a pause. Those that follow each other for one reason are one line. */
function Blocked({ fires, schedules }: { readonly fires: readonly Fire[]; readonly schedules: readonly Schedule[] }) {
  const paused = new Set(schedules.filter(({ state }) => state !== 'active').map(({ id }) => id))
  const blocked = fires.filter((fire) => fire.blocked !== undefined && !paused.has(fire.schedule))
  if (blocked.length === 0) return null
  const stretches = stretchesOf(blocked)
  return (
    <section aria-label="Fires that start nothing">
      <h2>
        {blocked.length} of them {blocked.length === 1 ? 'starts' : 'start'} nothing
      </h2>
      <ul className="blocked-list">
        {stretches.slice(0, MOST_STRETCHES).map(({ first, last, count }) => (
          <li key={`${first.schedule} ${first.at}`}>
            <PlainText text={first.sop} /> <Time at={first.at} as="absolute" />
            {count > 1 && (
              <>
                {' '}
                to <Time at={last.at} as="absolute" /> ({count} times)
              </>
            )}
            :{' '}
            <span className="muted">
              <PlainText text={first.blocked ?? ''} />
            </span>
          </li>
        ))}
      </ul>
      {stretches.length > MOST_STRETCHES && (
        <p className="muted small">… and {stretches.length - MOST_STRETCHES} more stretches</p>
      )}
    </section>
  )
}

const MOST_STRETCHES = 50

interface Stretch {
  readonly first: Fire
  readonly last: Fire
  readonly count: number
}

const stretchesOf = (blocked: readonly Fire[]): readonly Stretch[] => {
  const byReason = new Map<string, Stretch>()
  for (const fire of blocked) {
    const key = `${fire.schedule} ${fire.blocked ?? ''}`
    const known = byReason.get(key)
    byReason.set(key, { first: known?.first ?? fire, last: fire, count: (known?.count ?? 0) + 1 })
  }
  return [...byReason.values()]
}
