import type { MetricsReport } from '../../../client/client.ts'
import { Chart, HEIGHT, WIDTH } from './chart.tsx'
import { dayName, percent, roundUp, span } from './figures.ts'

type Day = MetricsReport['daily'][number]
interface DaysProps {
  readonly daily: readonly Day[]
}

const OUTCOMES = ['completed', 'failed', 'cancelled'] as const

/** How the runs ended, day by day. */
export function DayBars({ daily }: DaysProps) {
  const ended = (day: Day): number => day.completed + day.failed + day.cancelled
  const top = roundUp(Math.max(...daily.map(ended)))
  const step = WIDTH / daily.length
  return (
    <Chart
      title="How runs ended"
      legend={OUTCOMES.map((name) => ({ name, className: `chart-${name}` }))}
      days={daily.map(({ day }) => day)}
      top={`${top.toLocaleString()} runs a day`}
      table={<OutcomeTable daily={daily} />}
    >
      {daily.map((day, at) => {
        let y = HEIGHT
        return (
          <g key={day.day}>
            <title>{`${dayName(day.day)}: ${OUTCOMES.map((name) => `${day[name]} ${name}`).join(', ')}`}</title>
            {OUTCOMES.map((name) => {
              const height = (day[name] / top) * HEIGHT
              y -= height
              return height === 0 ? null : (
                <rect
                  key={name}
                  className={`chart-${name}`}
                  x={at * step + step * 0.14}
                  width={step * 0.72}
                  y={y}
                  height={height}
                />
              )
            })}
          </g>
        )
      })}
    </Chart>
  )
}

function OutcomeTable({ daily }: DaysProps) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Day (UTC)</th>
          <th scope="col">Begun</th>
          <th scope="col">Completed</th>
          <th scope="col">Failed</th>
          <th scope="col">Cancelled</th>
          <th scope="col">Went well</th>
          <th scope="col">Approved by the timer</th>
        </tr>
      </thead>
      <tbody>
        {[...daily].reverse().map((day) => (
          <tr key={day.day} className="tabular">
            <th scope="row">{day.day}</th>
            <td>{day.created}</td>
            <td>{day.completed}</td>
            <td>{day.failed}</td>
            <td>{day.cancelled}</td>
            <td>{percent(day.successRate)}</td>
            <td>{day.approvals.approvedByTimer}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const LINES = [
  { name: 'p95', className: 'chart-p95', of: (day: Day) => day.elapsed.p95Ms },
  { name: 'p50', className: 'chart-p50', of: (day: Day) => day.elapsed.p50Ms },
  { name: 'p50 without waits', className: 'chart-working', of: (day: Day) => day.working.p50Ms },
] as const

/** How long completed runs took, day by day. A day without any is a gap. */
export function DayLines({ daily }: DaysProps) {
  const longest = Math.max(...daily.flatMap((day) => LINES.map(({ of }) => of(day) ?? 0)), 1_000)
  const step = WIDTH / daily.length
  const x = (at: number): number => at * step + step / 2
  const y = (ms: number): number => HEIGHT - (ms / longest) * (HEIGHT - 8)
  return (
    <Chart
      title="How long completed runs took"
      legend={LINES}
      days={daily.map(({ day }) => day)}
      top={span(longest)}
      table={<DurationTable daily={daily} />}
    >
      {LINES.map(({ name, className, of }) => (
        <g key={name} className={className}>
          {stretchesOf(daily.map(of)).map((points) => (
            <polyline key={points[0]?.at} points={points.map(({ at, ms }) => `${x(at)},${y(ms)}`).join(' ')} />
          ))}
          {daily.map((day, at) => {
            const ms = of(day)
            return ms === null ? null : (
              <path key={day.day} className="chart-point" d={`M${x(at)} ${y(ms)}h0`}>
                <title>{`${dayName(day.day)}, ${name}: ${span(ms)}`}</title>
              </path>
            )
          })}
        </g>
      ))}
    </Chart>
  )
}

interface Point {
  readonly at: number
  readonly ms: number
}

/** The days in a row that have a value. */
const stretchesOf = (values: readonly (number | null)[]): readonly (readonly Point[])[] => {
  const stretches: Point[][] = [[]]
  values.forEach((ms, at) => {
    if (ms === null) stretches.push([])
    else stretches.at(-1)?.push({ at, ms })
  })
  return stretches.filter((points) => points.length > 0)
}

function DurationTable({ daily }: DaysProps) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Day (UTC)</th>
          <th scope="col">p50</th>
          <th scope="col">p95</th>
          <th scope="col">Working p50</th>
          <th scope="col">Working p95</th>
          <th scope="col">Waited at gates</th>
        </tr>
      </thead>
      <tbody>
        {[...daily].reverse().map(({ day, elapsed, working, approvals }) => (
          <tr key={day} className="tabular">
            <th scope="row">{day}</th>
            <td>{span(elapsed.p50Ms)}</td>
            <td>{span(elapsed.p95Ms)}</td>
            <td>{span(working.p50Ms)}</td>
            <td>{span(working.p95Ms)}</td>
            <td>{span(approvals.wait.count === 0 ? null : approvals.wait.totalMs)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
