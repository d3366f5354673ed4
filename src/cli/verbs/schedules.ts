import type { SopClient } from '../../client/client.ts'
import type { ScheduleRange } from '../../client/schedule-client.ts'
import { parseDuration } from '../../core/duration.ts'
import type { Verb } from '../command.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../exit-codes.ts'
import { renderFires, renderScheduleChange, renderSchedules } from '../render/schedules.ts'

export interface SchedulesOptions {
  readonly between?: readonly string[]
  readonly sop?: string
  readonly comment?: string
}

export const schedules: Verb<SchedulesOptions> = async (context, [action, ref], options) => {
  const { between, sop, comment } = options
  if (action === undefined) {
    if (comment !== undefined) throw new UsageError('Cannot use --comment here: it belongs to "pause"')
    const client = await context.client()
    return between === undefined
      ? list(context, client, sop)
      : simulate(context, client, rangeOf(context, between), sop)
  }
  if (ref === undefined)
    throw new UsageError(`Cannot ${action} a schedule: name it, as in sop schedules ${action} nightly-backup`)
  if (sop !== undefined) throw new UsageError('Cannot use --sop here: it belongs to the list')
  if (comment !== undefined && action !== 'pause')
    throw new UsageError('Cannot use --comment here: it belongs to "pause"')
  if ((between !== undefined) !== (action === 'backfill'))
    throw new UsageError(
      between === undefined
        ? 'Cannot backfill: say from when to when, as in --between 2026-11-20 2026-11-22'
        : `Cannot use --between with "${action}": it belongs to the list and to "backfill"`,
    )
  await act(context, await context.client(), action, ref, options)
  return undefined
}

const list = async (context: Context, client: SopClient, sop: string | undefined): Promise<undefined> => {
  const found = await client.listSchedules(sop === undefined ? {} : { sop })
  context.show(found, (clean) =>
    renderSchedules(clean, { colours: context.colours, now: context.io.now(), zone: ownZone() }),
  )
}

const simulate = async (
  context: Context,
  client: SopClient,
  range: ScheduleRange,
  sop: string | undefined,
): Promise<undefined> => {
  const found = await client.listUpcoming({ ...range, limit: MOST, ...(sop !== undefined && { sop }) })
  context.show(found, (clean) => renderFires(clean, range, ownZone(), context.colours))
  if (found.length === MOST) context.hint(`These are the first ${MOST}. Name a shorter time to see the rest`)
}

const MOST = 1_000

const act = async (
  context: Context,
  client: SopClient,
  action: string,
  ref: string,
  { between, comment }: SchedulesOptions,
): Promise<void> => {
  const now = context.io.now()
  switch (action) {
    case 'pause': {
      const paused = await client.pauseSchedule(ref, comment === undefined ? {} : { comment })
      return context.show(paused, (clean) => renderScheduleChange(clean, now, ownZone()))
    }
    case 'resume':
      return context.show(await client.resumeSchedule(ref), (clean) => renderScheduleChange(clean, now, ownZone()))
    case 'trigger':
      return context.show(await client.triggerSchedule(ref), ({ schedule, runId }) =>
        runId === undefined
          ? `Fired ${schedule}. No run began yet: its overlap policy may hold it back, see sop schedules`
          : `Started ${runId}`,
      )
    default:
      return context.show(await client.backfillSchedule(ref, rangeOf(context, between ?? [])), ({ schedule, fires }) =>
        fires.length === 0
          ? `${schedule} has no time in that range: nothing is started`
          : `${schedule} fires ${fires.length} ${fires.length === 1 ? 'time' : 'times'} for that range: from ${fires[0]} to ${fires.at(-1)}`,
      )
  }
}

const ownZone = (): string => new Intl.DateTimeFormat().resolvedOptions().timeZone

const rangeOf = (context: Context, times: readonly string[]): ScheduleRange => {
  const [from, to, ...more] = times
  if (from === undefined || to === undefined || more.length > 0)
    throw new UsageError('Cannot read --between: it takes two times, as in --between 2026-12-24 2026-12-31')
  const fromMs = readTime(from, context.io.now())
  const length = parseDuration(to)
  const toMs =
    length.ok && length.ms !== null && !/^\d+$/.test(to) ? fromMs + length.ms : readTime(to, context.io.now())
  if (toMs <= fromMs) throw new UsageError(`Cannot read --between: "${from}" is not before "${to}"`)
  return { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() }
}

const readTime = (text: string, now: number): number => {
  if (text === 'now') return now
  const date = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00` : text.replace(' ', 'T')
  const at = /^\d{4}-\d{2}-\d{2}T/.test(date) ? Date.parse(date) : Number.NaN
  if (!Number.isNaN(at)) return at
  throw new UsageError(
    `Cannot read the time "${text}": write 2026-12-24, "2026-12-24 18:00", 2026-12-24T17:00:00Z or now`,
  )
}
