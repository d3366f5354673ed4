import { absolute } from '../../parts/time-text.ts'
import type { Fire } from './trigger-queries.ts'

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

interface Day {
  readonly atMs: number
  readonly name: string
}

/** The midnights of the viewer within a span. */
export const daysOf = ({ fromMs, toMs }: Span): readonly Day[] => {
  const days: Day[] = []
  const day = new Date(fromMs)
  day.setHours(24, 0, 0, 0)
  while (day.getTime() < toMs) {
    const name = day.toLocaleDateString(undefined, { weekday: 'short', day: 'numeric' })
    days.push({ atMs: day.getTime(), name })
    day.setDate(day.getDate() + 1)
  }
  return days
}

const share = (atMs: number, { fromMs, toMs }: Span): number => ((atMs - fromMs) / (toMs - fromMs)) * 100

/** The names of the days above the strips. */
export function DayScale({ days, span }: { readonly days: readonly Day[]; readonly span: Span }) {
  const every = Math.ceil(days.length / 8)
  return (
    <div className="day-scale" aria-hidden="true">
      <span className="day-name" style={{ left: 0 }}>
        now
      </span>
      {days.map(({ atMs, name }, at) =>
        at % every === 0 && share(atMs, span) > 6 && share(atMs, span) < 95 ? (
          <span key={atMs} className="day-name" style={{ left: `${share(atMs, span)}%` }}>
            {name}
          </span>
        ) : null,
      )}
    </div>
  )
}

interface FireStripProps {
  readonly fires: readonly Fire[]
  readonly span: Span
  readonly isPaused: boolean
}

/** Marks nearer to each other than this, in percent of the strip, are drawn as one. */
const NEAR = 0.25

/** What one schedule starts, to scale; what starts nothing is marked. The list below the strips says why. */
export function FireStrip({ fires, span, isPaused }: FireStripProps) {
  const marks = marksOf(fires, span)
  const blocked = fires.filter((fire) => fire.blocked !== undefined).length
  const text = `${fires.length} ${fires.length === 1 ? 'fire' : 'fires'}${blocked === 0 ? '' : `, ${blocked} of them start nothing`}`
  return (
    <div className={`fire-strip${isPaused ? ' fire-paused' : ''}`} role="img" aria-label={text}>
      {daysOf(span).map(({ atMs }) => (
        <span key={atMs} className="fire-day" style={{ left: `${share(atMs, span)}%` }} />
      ))}
      {marks.map(({ left, fire }) => (
        <span
          key={fire.at}
          className={fire.blocked === undefined ? 'fire-mark' : 'fire-mark fire-blocked'}
          style={{ left: `${left}%` }}
          title={fire.blocked === undefined ? absolute(fire.at) : `${absolute(fire.at)}: ${fire.blocked}`}
        />
      ))}
      {fires.length === 0 && <span className="fire-none">nothing in this time</span>}
    </div>
  )
}

const marksOf = (fires: readonly Fire[], span: Span): readonly { readonly left: number; readonly fire: Fire }[] => {
  const marks: { readonly left: number; readonly fire: Fire }[] = []
  for (const fire of fires) {
    const left = share(Date.parse(fire.at), span)
    const before = marks.at(-1)
    if (before !== undefined && left - before.left < NEAR && before.fire.blocked === fire.blocked) continue
    marks.push({ left, fire })
  }
  return marks
}
