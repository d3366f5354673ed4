import type { CatalogEntry } from '../client/catalog.ts'
import type { ListedSchedule, LookedSchedule, ScheduleStore } from '../client/schedule-store.ts'
import type { ScheduledSops } from '../client/scheduled-sops.ts'
import { SopError } from '../core/errors.ts'
import { isEngineNote, readNote } from '../core/schedule/pause-note.ts'
import { planSchedules, type ScheduleAction, type Standing } from '../core/schedule/plan.ts'
import type { Log } from '../log.ts'
import type { CatalogWatch } from '../engine/catalog-watch.ts'
import type { Source } from './source.ts'
import { type MissedFiresDeps, recordMissedFires } from './missed-fires.ts'
import type { SourceHealth } from './source.ts'

// schedules.ts: keeps the schedules in Temporal in step with the files. The plan is the core's; here it is carried out, looked
// at anew after every change, and begun again after a crash. Each change carries the token of what was looked at, so that
// several engines and an operator may be at it at the same time.

export interface ScheduleSourceOptions {
  readonly watch: Pick<CatalogWatch, 'onChange'>
  readonly store: ScheduleStore
  readonly sopsOf: ScheduledSops
  readonly log: Pick<Log, 'info' | 'warn' | 'debug'>
  readonly now: () => number
  /** Where fires that started nothing are told of. */
  readonly missed?: MissedFiresDeps
}

export interface ScheduleSource extends Source {
  /** Brings all in step, by what Temporal's list has. @returns what it changed, as `create sop_schedule_x_1` */
  reconcile(): Promise<readonly string[]>
  /** Why a schedule is not as its file says, by id. */
  problems(): ReadonlyMap<string, string>
  /** Those that we paused, as far as the last pass knew. */
  pausedByUs(): readonly Standing[]
  health(): SourceHealth | undefined
  /** Puts on record which fires started nothing since it was told last. @returns the ids of their schedules */
  recordMissed(): Promise<readonly string[]>
}

/** Calls to Temporal at once. */
const AT_ONCE = 16
/** What other programs did to our schedules is mended this often. */
const FULL_PASS_MS = 60_000
/** Each schedule is looked at for this, and Temporal is seldom away. */
const MISSED_PASS_MS = 3_600_000
/** For so long after a change Temporal's list may not have it yet. */
const LIST_LAG_MS = 15_000
/** After a pass that failed. */
const [FIRST_RETRY_MS, LAST_RETRY_MS] = [500, 30_000]
/** Looks and changes until all is in step; more only where others change the same schedules all the time. */
const MOST_ROUNDS = 12

interface Known {
  readonly standing: Standing
  readonly changedAt: number
}

export const createScheduleSource = (options: ScheduleSourceOptions): ScheduleSource => {
  const { watch, store, sopsOf, log, now } = options
  const known = new Map<string, Known>()
  const problems = new Map<string, string>()
  let entries: readonly CatalogEntry[] | undefined
  let passing: Promise<unknown> = Promise.resolve()
  let timer: NodeJS.Timeout | undefined
  let unlisten: () => void = () => {}
  let isClosed = false
  let isListed = false
  let failures = 0
  let missedAt = Number.NEGATIVE_INFINITY
  let missing: Promise<void> | undefined

  const remember = (standing: Standing): void => void known.set(standing.id, { standing, changedAt: now() })

  /** What the list says, except of what was changed so lately that it may not know it. */
  const takeList = (listed: readonly ListedSchedule[]): void => {
    const young = [...known].filter(([, { changedAt }]) => now() - changedAt < LIST_LAG_MS)
    known.clear()
    for (const { recent: _, ...standing } of listed) known.set(standing.id, { standing, changedAt: 0 })
    for (const [id, each] of young) known.set(id, each)
    isListed = true
  }

  const pass = async (isFull: boolean): Promise<readonly string[]> => {
    if (entries === undefined || isClosed) return []
    if (isFull || !isListed) takeList(await store.list())
    const sops = sopsOf(entries)
    const done: string[] = []
    const bench = createBench(store, { remember, forget: (id) => void known.delete(id), problems, done })
    const before = new Set(problems.values())
    problems.clear()
    // What Temporal refused is left out, as it stands and as it should: it is neither tried twice nor deleted.
    for (let round = 0; round < MOST_ROUNDS && !isClosed; round++) {
      const actions = planSchedules(
        sops.map((sop) => ({ ...sop, schedules: sop.schedules.filter(({ id }) => !problems.has(id)) })),
        [...known.values()]
          .filter(({ standing }) => !problems.has(standing.id))
          .map(({ standing }) => bench.withInside(standing)),
      )
      if (actions.length === 0) break
      for (const phase of phasesOf(actions))
        await eachLimited(
          phase,
          (action) => bench.carryOut(action),
          () => isClosed,
        )
    }
    if (done.length > 0) log.info(`Schedules follow the files: ${summary(done)}`)
    for (const [id, problem] of problems)
      if (!before.has(problem)) log.warn(`Schedule "${id}" is not as its file says: ${problem}`)
    return done
  }

  const pausedByUs = (): readonly Standing[] =>
    [...known.values()].map(({ standing }) => standing).filter(({ paused, note }) => paused && isEngineNote(note))

  const recordMissed = async (): Promise<readonly string[]> => {
    const { missed } = options
    if (missed === undefined || entries === undefined) return []
    const schedules = new Map(sopsOf(entries).flatMap((sop) => sop.schedules.map((each) => [each.id, each])))
    const told: string[] = []
    await eachLimited(
      [...known.keys()],
      async (id) => {
        const looked = await store.look(id)
        if (looked === undefined || looked === 'foreign') return
        const delivery = await recordMissedFires(missed, looked, schedules.get(id))
        if (delivery === undefined) return
        told.push(id)
        log.warn(`Schedule "${id}": ${delivery.reason ?? ''}`)
      },
      () => isClosed,
    )
    return told
  }
  const recordMissedQuietly = async (): Promise<void> => {
    if (options.missed === undefined || failures > 0 || isClosed || now() - missedAt < MISSED_PASS_MS) return
    missedAt = now()
    await recordMissed().catch((error: unknown) => {
      log.warn(`Cannot look for fires that were missed: ${error instanceof Error ? error.message : String(error)}`)
    })
  }

  /** One pass at a time; one that fails is tried again soon, by the list. */
  const run = (isFull: boolean): Promise<readonly string[]> => {
    const next = passing.then(
      () => pass(isFull),
      () => pass(isFull),
    )
    passing = next
    return next
  }
  const quietly = async (isFull: boolean): Promise<void> => {
    clearTimeout(timer)
    try {
      await run(isFull)
      failures = 0
    } catch (error) {
      failures++
      isListed = false
      log.warn(
        `Cannot bring the schedules in step: ${error instanceof Error ? error.message : String(error)}. It is tried again`,
      )
    }
    if (isClosed) return
    missing = recordMissedQuietly()
    clearTimeout(timer)
    const pauseMs = failures === 0 ? FULL_PASS_MS : Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LAST_RETRY_MS)
    timer = setTimeout(() => void quietly(true), pauseMs)
    timer.unref()
  }
  return {
    start: () => {
      unlisten = watch.onChange((changed) => {
        entries = changed
        void quietly(false)
      })
    },
    reconcile: () => run(true),
    problems: () => problems,
    pausedByUs,
    health: () => healthOf(known.size, pausedByUs(), problems),
    recordMissed,
    close: async () => {
      isClosed = true
      unlisten()
      clearTimeout(timer)
      await passing.catch(() => {})
      await missing
    },
  }
}

const healthOf = (
  count: number,
  paused: readonly Standing[],
  problems: ReadonlyMap<string, string>,
): SourceHealth | undefined => {
  if (count === 0 && problems.size === 0) return undefined
  const [problem] = problems.values()
  if (problem !== undefined) return { ok: false, detail: problem }
  const [first] = paused
  if (first === undefined) return { ok: true }
  const more = paused.length === 1 ? '' : `, and ${paused.length - 1} more`
  return { ok: false, detail: `schedule "${first.id}"${more} stands paused: ${readNote(first.note).reason}` }
}

interface BenchDeps {
  readonly remember: (standing: Standing) => void
  readonly forget: (id: string) => void
  readonly problems: Map<string, string>
  readonly done: string[]
}

/** Carries out the actions of one pass. Nothing is changed that was not looked at in it. */
const createBench = (store: ScheduleStore, { remember, forget, problems, done }: BenchDeps) => {
  const looked = new Map<string, LookedSchedule>()

  const look = async (id: string): Promise<void> => {
    const found = await store.look(id)
    looked.delete(id)
    if (found === undefined) return forget(id)
    if (found === 'foreign') {
      forget(id)
      problems.set(id, 'Temporal has a schedule of that id that is not of this engine, and it is left alone')
      return
    }
    looked.set(id, found)
    remember(standingOf(found))
  }
  const create = async ({ schedule, state }: Extract<ScheduleAction, { kind: 'create' }>): Promise<void> => {
    if ((await store.create(schedule, state)) === 'exists') return look(schedule.id)
    done.push(`create ${schedule.id}`)
    remember({ id: schedule.id, sop: schedule.sop, digest: schedule.digest, ...state })
  }
  const change = async (
    action: Extract<ScheduleAction, { kind: 'update' | 'set_pause' | 'delete' }>,
    before: LookedSchedule,
  ): Promise<void> => {
    const { id } = action
    looked.delete(id)
    if (action.kind === 'delete') {
      await store.remove(id)
      done.push(`delete ${id}`)
      return forget(id)
    }
    const outcome =
      action.kind === 'update'
        ? await store.update(before, action.schedule, action.state)
        : await store.setPause(before, action.state)
    if (outcome === 'gone') return forget(id)
    if (outcome === 'changed') return look(id)
    done.push(`${action.kind} ${id}`)
    const after = action.kind === 'update' ? action.schedule : before
    remember({ id, sop: after.sop, digest: after.digest, ...action.state })
  }
  const idOf = (action: ScheduleAction): string => (action.kind === 'create' ? action.schedule.id : action.id)
  return {
    carryOut: async (action: ScheduleAction): Promise<void> => {
      const id = idOf(action)
      try {
        if (action.kind === 'create') return await create(action)
        const before = looked.get(id)
        if (action.kind === 'look' || before === undefined) return await look(id)
        await change(action, before)
      } catch (error) {
        if (!(error instanceof SopError) || error.code !== 'invalid') throw error
        problems.set(id, error.message)
      }
    },
    withInside: (standing: Standing): Standing => {
      const found = looked.get(standing.id)
      return found === undefined ? standing : { ...standing, inside: found.inside }
    },
  }
}

/** Without its inside: the plan is to ask for it in each pass, so that what it puts in order is carried out in order. */
const standingOf = ({ id, sop, digest, paused, note }: LookedSchedule): Standing => ({ id, sop, digest, paused, note })

/** Actions that may go side by side; what the plan puts first is done first. */
const phasesOf = (actions: readonly ScheduleAction[]): readonly (readonly ScheduleAction[])[] => {
  const phases: ScheduleAction[][] = []
  let last = ''
  for (const action of actions) {
    const kind = `${action.kind} ${'state' in action ? action.state.paused : ''}`
    if (kind !== last) phases.push([])
    phases.at(-1)?.push(action)
    last = kind
  }
  return phases
}

const eachLimited = async <T>(
  items: readonly T[],
  work: (item: T) => Promise<void>,
  isOver: () => boolean,
): Promise<void> => {
  let next = 0
  const take = async (): Promise<void> => {
    for (let at = next++; at < items.length && !isOver(); at = next++) await work(items[at] as T)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, take))
}

const summary = (done: readonly string[]): string => {
  if (done.length <= 5) return done.join(', ')
  const counts = new Map<string, number>()
  for (const each of done) {
    const kind = each.split(' ')[0] ?? ''
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return [...counts].map(([kind, count]) => `${kind} ${count}`).join(', ')
}
