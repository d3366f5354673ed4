import { setTimeout as delay } from 'node:timers/promises'
import { type Actor, assertMay } from '../core/access.ts'
import { SopError } from '../core/errors.ts'
import { parseCron } from '../core/schedule/cron.ts'
import { firesBetween } from '../core/schedule/fires.ts'
import { engineNote, isEngineNote, personNote, readNote } from '../core/schedule/pause-note.ts'
import type { PauseState, ScheduledSop } from '../core/schedule/plan.ts'
import type { Schedule } from '../core/schedule/schedule.ts'
import { dueFires, nextTimes } from '../core/schedule/simulate.ts'
import type { DeliveryStore } from '../core/trigger/delivery.ts'
import type { Catalog } from './catalog.ts'
import { createDeliveryIds } from './delivery-id.ts'
import type { Records } from './records.ts'
import { type BlackoutDeps, readBlackouts } from './scheduled-blackouts.ts'
import type { ScheduleClient, ScheduleFire, ScheduleView } from './schedule-client.ts'
import type { ListedSchedule, LookedSchedule, RecentFire, ScheduleStore } from './schedule-store.ts'
import type { ScheduledSops } from './scheduled-sops.ts'

// schedules.ts: serves ScheduleClient from the catalog and from Temporal.

export interface SchedulesDeps {
  readonly store: ScheduleStore
  readonly sopsOf: ScheduledSops
  readonly blackouts: BlackoutDeps
  readonly catalog: Catalog
  readonly records: Pick<Records, 'index'>
  readonly deliveries: DeliveryStore
  readonly now: () => number
}

/** Times that a list shows of each. */
const NEXT = 3
const UPCOMING_DEFAULT = 200
const UPCOMING_MAX = 1_000
/** Temporal buffers no more. */
const BACKFILL_MAX = 1_000
/** How long a fire may take to have its run. */
const FIRE_MS = 5_000
/** Tries to change a schedule that others change at the same time. */
const TRIES = 5

const nextDeliveryId = createDeliveryIds()

type Found = { readonly schedule?: Schedule; readonly standing?: ListedSchedule; readonly broken?: string }

export const createSchedules = (deps: SchedulesDeps, actor: Actor): ScheduleClient => {
  const { store } = deps
  const change = async (
    verb: 'pauseSchedule' | 'resumeSchedule',
    ref: string,
    stateFor: (looked: LookedSchedule, broken: string | undefined) => PauseState,
  ): Promise<ScheduleView> => {
    assertMay(actor, verb)
    const id = await resolve(deps, ref)
    for (let tries = 0; tries < TRIES; tries++) {
      const looked = await lookAt(store, id)
      const state = stateFor(looked, (await readSops(deps)).find(({ name }) => name === looked.sop)?.broken)
      if ((await store.setPause(looked, state)) !== 'done') continue
      const views = await readViews(deps)
      const view = views.find((each) => each.id === id)
      if (view !== undefined) return withState(view, state)
    }
    throw new SopError('conflict', `Cannot change schedule "${id}": others change it at the same time. Try again`)
  }
  /** A run that a schedule starts tells of the schedule; who fired it stands in the delivery. */
  const note = ({ id, sop }: LookedSchedule, action: string, reason: string, runId?: string): Promise<void> =>
    deps.deliveries.put({
      id: nextDeliveryId(deps.now()),
      at: new Date(deps.now()).toISOString(),
      source: 'cron',
      subject: id,
      action,
      sop,
      verdict: 'started',
      ...(runId !== undefined && { runId }),
      reason,
      principal: actor.principal.id,
    })
  return {
    listSchedules: async ({ sop } = {}) => {
      assertMay(actor, 'listSchedules')
      return (await readViews(deps)).filter((view) => sop === undefined || view.sop === sop)
    },
    listUpcoming: async ({ from, to, sop, limit = UPCOMING_DEFAULT }) => {
      assertMay(actor, 'listUpcoming')
      const window = { ...rangeOf(from, to), limit: Math.min(limit, UPCOMING_MAX) }
      const [entries, listed] = await Promise.all([deps.catalog.list(), store.list()])
      const sops = deps.sopsOf(entries)
      const blackoutAt = await readBlackouts(entries, deps.blackouts)
      const standing = new Map(listed.map((each) => [each.id, each]))
      const schedules = sops.flatMap((each) => each.schedules).filter((each) => sop === undefined || each.sop === sop)
      return dueFires(schedules, window, ({ id, sop: name }, at) => {
        const found = standing.get(id)
        if (found === undefined) return 'the schedule is not in Temporal yet'
        return found.paused ? `the schedule is ${pausedText(found.note)}` : blackoutAt(name, at)
      })
    },
    pauseSchedule: (ref, { comment } = {}) =>
      change('pauseSchedule', ref, ({ id, paused, note }) => {
        if (paused && !isEngineNote(note))
          throw new SopError('conflict', `Cannot pause schedule "${id}": it is ${pausedText(note)} already`)
        return { paused: true, note: personNote(actor.principal.id, actor.via, comment) }
      }),
    resumeSchedule: (ref) =>
      change('resumeSchedule', ref, ({ id, paused, note }, broken) => {
        if (!paused) throw new SopError('conflict', `Cannot resume schedule "${id}": it is not paused`)
        if (broken === undefined) return { paused: false, note: '' }
        if (isEngineNote(note))
          throw new SopError('conflict', `Cannot resume schedule "${id}": ${broken}. Mend the file; it is resumed then`)
        return { paused: true, note: engineNote(broken) }
      }),
    triggerSchedule: async (ref) => {
      assertMay(actor, 'triggerSchedule')
      const id = await resolve(deps, ref)
      const before = await startable(deps, id)
      await store.trigger(id)
      const runId = await newRun(store, id, before)
      await note(before, 'trigger', 'It was fired by hand', runId)
      return { schedule: id, ...(runId !== undefined && { runId }) }
    },
    backfillSchedule: async (ref, { from, to }) => {
      assertMay(actor, 'backfillSchedule')
      const id = await resolve(deps, ref)
      const { fromMs, toMs } = rangeOf(from, to)
      if (toMs > deps.now())
        throw new SopError(
          'invalid',
          `Cannot backfill schedule "${id}": "to" is in the future. Name a range that is over`,
        )
      const looked = await startable(deps, id)
      const { expression, timezone } = looked.inside
      const times = firesBetween(parseCron(expression), timezone, { fromMs, toMs, limit: BACKFILL_MAX + 1 })
      if (times.length > BACKFILL_MAX)
        throw new SopError(
          'invalid',
          `Cannot backfill schedule "${id}": it has more than ${BACKFILL_MAX} times in that range. Name a shorter one`,
        )
      if (times.length > 0) {
        await store.backfill(id, fromMs, toMs)
        const range = `${new Date(fromMs).toISOString()} to ${new Date(toMs).toISOString()}`
        await note(looked, 'backfill', `Its ${times.length} times from ${range} were fired by hand`)
      }
      return { schedule: id, fires: times.map((at) => new Date(at).toISOString()) }
    },
  }
}

const readSops = async ({ catalog, sopsOf }: SchedulesDeps): Promise<readonly ScheduledSop[]> =>
  sopsOf(await catalog.list())

const readViews = async (deps: SchedulesDeps): Promise<readonly ScheduleView[]> => {
  const [sops, listed, runs] = await Promise.all([
    readSops(deps),
    deps.store.list(),
    deps.records.index.list({ limit: 1_000 }),
  ])
  const states = new Map(runs.map(({ runId, status }) => [runId, status]))
  const found = new Map<string, Found>()
  for (const sop of sops) for (const schedule of sop.schedules) found.set(schedule.id, { schedule })
  for (const standing of listed) {
    const broken = sops.find(({ name }) => name === standing.sop)?.broken
    found.set(standing.id, { ...found.get(standing.id), standing, ...(broken !== undefined && { broken }) })
  }
  const views = await Promise.all([...found].map(([id, each]) => viewOf(deps, id, each, states)))
  return views
    .filter((view) => view !== undefined)
    .sort((a, b) => (a.sop === b.sop ? a.id.localeCompare(b.id, 'en', { numeric: true }) : a.sop < b.sop ? -1 : 1))
}

/** Of one that no file calls for any more, only Temporal knows when it fires. */
const viewOf = async (
  { store, now }: SchedulesDeps,
  id: string,
  { schedule, standing, broken }: Found,
  states: ReadonlyMap<string, string>,
): Promise<ScheduleView | undefined> => {
  const looked = schedule === undefined ? await store.look(id) : undefined
  if (looked === 'foreign') return undefined
  const { expression, timezone } = schedule ?? looked?.inside ?? {}
  if (expression === undefined || timezone === undefined) return undefined
  const state = looked ?? standing
  const view: ScheduleView = {
    id,
    sop: schedule?.sop ?? state?.sop ?? '',
    expression,
    timezone,
    state: state === undefined ? 'missing' : 'active',
    ...(broken !== undefined && { broken }),
    ...(schedule !== undefined && {
      overlap: schedule.overlap,
      catchUpMs: schedule.catchUpMs,
      jitterMs: schedule.jitterMs,
      ...(schedule.params !== undefined && { params: schedule.params }),
    }),
    next: nextTimes({ expression, timezone }, now(), NEXT),
    recent: fireViews(state?.recent ?? [], states),
  }
  return state === undefined ? view : withState(view, state)
}

const withState = (view: ScheduleView, { paused, note }: PauseState): ScheduleView => {
  const { pausedBy: _, pauseReason: __, ...rest } = view
  if (!paused) return { ...rest, state: 'active' }
  const { by, reason } = readNote(note)
  return { ...rest, state: 'paused', pausedBy: by, ...(reason !== '' && { pauseReason: reason }) }
}

const fireViews = (recent: readonly RecentFire[], states: ReadonlyMap<string, string>): readonly ScheduleFire[] =>
  recent
    .map(({ scheduledAt, runId }) => {
      const status = states.get(runId)
      return { scheduledAt, runId, ...(status !== undefined && { status }) }
    })
    .reverse()

const pausedText = (note: string): string => {
  const { by, reason } = readNote(note)
  return `paused by ${by}${reason === '' ? '' : `: ${reason}`}`
}

/** The schedule that is meant: by its id, or by an SOP that has only one. */
const resolve = async (deps: SchedulesDeps, ref: string): Promise<string> => {
  const [sops, listed] = await Promise.all([readSops(deps), deps.store.list()])
  const known = [
    ...listed.map(({ id, sop }) => ({ id, sop })),
    ...sops.flatMap(({ schedules }) => schedules.map(({ id, sop }) => ({ id, sop }))),
  ]
  if (known.some(({ id }) => id === ref)) return ref
  const ids = [...new Set(known.filter(({ sop }) => sop === ref).map(({ id }) => id))]
  const [only] = ids
  if (only !== undefined && ids.length === 1) return only
  if (ids.length > 1)
    throw new SopError('conflict', `Cannot tell which schedule of "${ref}" is meant: name one of ${ids.join(', ')}`, {
      schedules: ids,
    })
  throw new SopError(
    'not_found',
    `Cannot find schedule "${ref}": no schedule and no SOP with a cron has that name; sop schedules lists them`,
  )
}

const lookAt = async (store: ScheduleStore, id: string): Promise<LookedSchedule> => {
  const looked = await store.look(id)
  if (looked !== undefined && looked !== 'foreign') return looked
  const reason =
    looked === 'foreign'
      ? 'Temporal has one of that id that is not of this engine'
      : 'it is not in Temporal yet; try again in a moment'
  throw new SopError(looked === 'foreign' ? 'conflict' : 'unavailable', `Cannot reach schedule "${id}": ${reason}`)
}

/** @throws SopError `conflict` where every run of it would be refused */
const startable = async (deps: SchedulesDeps, id: string): Promise<LookedSchedule> => {
  const looked = await lookAt(deps.store, id)
  const sop = (await readSops(deps)).find(({ name }) => name === looked.sop)
  if (sop?.broken !== undefined) throw new SopError('conflict', `Cannot fire schedule "${id}": ${sop.broken}`)
  return looked
}

/** The run of a fire that was just asked for; undefined where none began in time. */
const newRun = async (store: ScheduleStore, id: string, before: LookedSchedule): Promise<string | undefined> => {
  const known = new Set(before.recent.map(({ runId }) => runId))
  const end = Date.now() + FIRE_MS
  for (let pauseMs = 20; Date.now() < end; pauseMs = Math.min(pauseMs * 2, 250)) {
    const looked = await store.look(id)
    const fresh =
      looked === undefined || looked === 'foreign' ? undefined : looked.recent.find(({ runId }) => !known.has(runId))
    if (fresh !== undefined) return fresh.runId
    await delay(pauseMs)
  }
  return undefined
}

const rangeOf = (from: string, to: string): { readonly fromMs: number; readonly toMs: number } => {
  const [fromMs, toMs] = [Date.parse(from), Date.parse(to)]
  if (Number.isNaN(fromMs) || Number.isNaN(toMs))
    throw new SopError(
      'invalid',
      `Cannot read the range from "${from}" to "${to}": expected times as in 2027-03-28T00:00:00Z`,
    )
  if (fromMs >= toMs) throw new SopError('invalid', `Cannot read the range: "${from}" is not before "${to}"`)
  return { fromMs, toMs }
}
