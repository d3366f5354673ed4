import type { DueFire, ScheduleRange, ScheduleView } from '../../client/schedule-client.ts'
import { wallTime } from '../../core/local-time.ts'
import type { Colours } from '../context.ts'
import { oneLine, renderTable } from './table.ts'
import { renderAgo } from './time.ts'

export interface SchedulesLook {
  readonly colours: Colours
  readonly now: number
  /** Zone of whoever reads it. */
  readonly zone: string
}

/** `2026-11-22 02:30`, as a clock in that zone shows it; with seconds where there are any. */
const renderWall = (instant: string, zone: string): string => {
  const { year, month, day, hour, minute, second } = wallTime(new Date(instant), zone)
  const two = (value: number): string => String(value).padStart(2, '0')
  const seconds = second === 0 ? '' : `:${two(second)}`
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}${seconds}`
}

/** The schedules with their next times here and in their own zone, and below them what keeps them from firing. */
export const renderSchedules = (schedules: readonly ScheduleView[], { colours, now, zone }: SchedulesLook): string => {
  if (schedules.length === 0) return 'No schedules: no SOP has a cron trigger.'
  const table = renderTable(
    ['SCHEDULE', 'CRON', `NEXT (${zone})`, 'IN ITS ZONE', 'STATE', 'LAST'].map((heading) => colours.dim(heading)),
    schedules.map((view) => [
      view.id,
      view.expression,
      view.next[0] === undefined ? 'never' : renderWall(view.next[0], zone),
      view.next[0] === undefined ? view.timezone : `${renderWall(view.next[0], view.timezone)} ${view.timezone}`,
      renderState(view, colours),
      renderLast(view, now),
    ]),
  )
  const notes = schedules.flatMap((view) => notesOf(view).map((note) => `${view.id}: ${oneLine(note)}`))
  return [table, notes.join('\n')].filter((part) => part !== '').join('\n\n')
}

const renderState = ({ state, broken }: ScheduleView, colours: Colours): string => {
  if (broken !== undefined) return colours.red(`${state}, broken`)
  return state === 'active' ? colours.green(state) : colours.yellow(state)
}

const renderLast = ({ recent: [last] }: ScheduleView, now: number): string =>
  last === undefined ? '-' : `${last.status ?? 'started'} ${renderAgo(last.scheduledAt, now)} (${last.runId})`

const notesOf = ({ state, pausedBy, pauseReason, broken }: ScheduleView): readonly string[] => {
  const reason = pauseReason === undefined ? '' : `: ${pauseReason}`
  // The engine's own reason is what is broken.
  const isOurs = broken !== undefined && pauseReason === broken
  return [
    ...(state === 'paused' && !isOurs ? [`paused by ${pausedBy ?? 'nobody knows whom'}${reason}`] : []),
    ...(state === 'missing' ? ['Temporal does not have it yet; the log of the engine says why'] : []),
    ...(broken !== undefined ? [`${broken}. Its last good schedule stands paused until it does`] : []),
  ]
}

/** What was changed, and what follows. */
export const renderScheduleChange = (view: ScheduleView, now: number, zone: string): string => {
  const [next] = view.next
  if (view.state !== 'active')
    return `Paused ${view.id}. It stays so until somebody resumes it: sop schedules resume ${view.id}`
  return next === undefined
    ? `Resumed ${view.id}. It never fires again`
    : `Resumed ${view.id}. Next: ${renderWall(next, zone)} (${renderAgo(next, now)})`
}

/** What a span of time would start. */
export const renderFires = (
  fires: readonly DueFire[],
  { from, to }: ScheduleRange,
  zone: string,
  colours: Colours,
): string => {
  const span = `between ${renderWall(from, zone)} and ${renderWall(to, zone)} (${zone})`
  if (fires.length === 0) return `Nothing is due ${span}.`
  const count = `${fires.length} ${fires.length === 1 ? 'fire' : 'fires'} ${span}; nothing was started:`
  const table = renderTable(
    ['WHEN', 'SOP', 'SCHEDULE', 'PARAMS', ''].map((heading) => colours.dim(heading)),
    fires.map(({ at, sop, schedule, params, blocked }) => [
      renderWall(at, zone),
      sop,
      schedule,
      Object.entries(params)
        .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
        .join(' ') || '-',
      blocked === undefined ? '' : colours.yellow(`starts nothing: ${blocked}`),
    ]),
  )
  return `${count}\n\n${table}`
}
