import { engineNote, isEngineNote } from './pause-note.ts'
import type { Schedule } from './schedule.ts'

// plan.ts: what has to be done so that the schedules in Temporal are those that the files call for. Laws: an operator's pause
// and note survive every edit, also of a trigger that changes its place and of an SOP that changes its name; an SOP that no
// longer compiles keeps its last good schedules, paused; done in any order with a crash in between, the next plan mends it.

/** One SOP of the catalog as schedules see it. */
export interface ScheduledSop {
  readonly name: string
  readonly path: string
  /** Why no run of it can start: its schedules stand still. */
  readonly broken?: string
  readonly schedules: readonly Schedule[]
}

/** A schedule of ours as it stands in Temporal. */
export interface Standing {
  readonly id: string
  readonly sop: string
  readonly digest: string
  readonly paused: boolean
  readonly note: string
  /** What only a look at itself tells; lists do not have it. */
  readonly inside?: { readonly path: string; readonly key: string; readonly number: number }
}

export interface PauseState {
  readonly paused: boolean
  readonly note: string
}

export type ScheduleAction =
  /** The plan needs to know its inside first. */
  | { readonly kind: 'look'; readonly id: string }
  | { readonly kind: 'create'; readonly schedule: Schedule; readonly state: PauseState }
  | { readonly kind: 'update'; readonly id: string; readonly schedule: Schedule; readonly state: PauseState }
  /** Only its pause changes. */
  | { readonly kind: 'set_pause'; readonly id: string; readonly state: PauseState }
  | { readonly kind: 'delete'; readonly id: string }

const ACTIVE: PauseState = { paused: false, note: '' }
const NOTHING_LEFT = 'no SOP is left in the SOP directory'

/**
 * What to do next, in this order; empty when all is in step. As long as it asks for looks, nothing else is to be done.
 * Schedules of one SOP are planned together, since a pause follows its trigger.
 */
export const planSchedules = (
  sops: readonly ScheduledSop[],
  standing: readonly Standing[],
): readonly ScheduleAction[] => {
  const bySop = groupBy(standing, (each) => each.sop)
  const isEmpty = sops.length === 0 && bySop.size > 1
  const named = new Set(sops.map((sop) => sop.name))
  const gone = standing.filter((each) => !named.has(each.sop))
  // An empty directory is more often one that is not mounted than one that somebody emptied.
  if (isEmpty) return standing.flatMap((each) => pauseFor(each, NOTHING_LEFT))
  const looks = gone.filter((each) => each.inside === undefined)
  if (looks.length > 0) return looks.map(({ id }) => ({ kind: 'look', id }))
  const byPath = groupBy(gone, (each) => each.inside?.path ?? '')
  const actions = [
    ...sops.flatMap((sop) => planSop(sop, bySop.get(sop.name) ?? [], byPath.get(sop.path) ?? [])),
    ...gone
      .filter((each) => !sops.some((sop) => sop.path === each.inside?.path))
      .map(({ id }) => ({ kind: 'delete', id }) as const),
  ]
  const needed = actions.filter((action) => action.kind === 'look')
  return needed.length > 0 ? needed : inSafeOrder(actions)
}

/** What takes a pause over goes before what lets it go: a crash in between forgets none. */
const inSafeOrder = (actions: readonly ScheduleAction[]): readonly ScheduleAction[] => {
  const rank = (action: ScheduleAction): number => {
    if (action.kind === 'delete') return 4
    if (action.kind === 'look' || action.kind === 'set_pause') return 0
    return (action.kind === 'create' ? 0 : 2) + (action.state.paused ? 0 : 1)
  }
  return [...actions].sort((a, b) => rank(a) - rank(b))
}

const planSop = (
  sop: ScheduledSop,
  own: readonly Standing[],
  renamed: readonly Standing[],
): readonly ScheduleAction[] => {
  if (sop.broken !== undefined) {
    const { broken } = sop
    return [...own, ...renamed].flatMap((each) => pauseFor(each, broken))
  }
  if (isInStep(sop, own) && renamed.length === 0) return []
  const all = [...own, ...renamed]
  const looks = all.filter((each) => each.inside === undefined)
  // A schedule that is only to be made has nobody's pause to take over.
  if (looks.length > 0) return looks.map(({ id }) => ({ kind: 'look', id }))
  const states = statesFor(sop.schedules, all)
  return [
    ...sop.schedules.flatMap((schedule): readonly ScheduleAction[] => {
      const before = own.find((each) => each.id === schedule.id)
      const state = states.get(schedule.id) ?? ACTIVE
      if (before === undefined) return [{ kind: 'create', schedule, state }]
      if (before.digest !== schedule.digest) return [{ kind: 'update', id: schedule.id, schedule, state }]
      return isSameState(before, state) ? [] : [{ kind: 'set_pause', id: schedule.id, state }]
    }),
    ...all
      .filter((each) => !sop.schedules.some((schedule) => schedule.id === each.id))
      .map(({ id }) => ({ kind: 'delete', id }) as const),
  ]
}

const isInStep = ({ schedules }: ScheduledSop, own: readonly Standing[]): boolean =>
  schedules.length === own.length &&
  schedules.every((schedule) =>
    own.some(
      (each) => each.id === schedule.id && each.digest === schedule.digest && !(each.paused && isEngineNote(each.note)),
    ),
  )

/** Pauses with our note; somebody's own pause stays as it is. */
const pauseFor = (standing: Standing, reason: string): readonly ScheduleAction[] => {
  const note = engineNote(reason)
  if (standing.paused && (!isEngineNote(standing.note) || standing.note === note)) return []
  return [{ kind: 'set_pause', id: standing.id, state: { paused: true, note } }]
}

/**
 * The pause and note of each schedule: of the one that has its trigger, wherever that stood, else of the one in its place,
 * unless another trigger took that along.
 */
const statesFor = (schedules: readonly Schedule[], standing: readonly Standing[]): ReadonlyMap<string, PauseState> => {
  const left = new Set(standing)
  const states = new Map<string, PauseState>()
  const claim = (schedule: Schedule, fits: (each: Standing) => boolean): void => {
    if (states.has(schedule.id)) return
    const found = [...left].find(fits)
    if (found === undefined) return
    left.delete(found)
    states.set(schedule.id, liftedState(found))
  }
  for (const one of schedules) claim(one, (each) => each.id === one.id && each.inside?.key === one.key)
  for (const one of schedules) claim(one, (each) => each.inside?.key === one.key)
  const keys = new Set(schedules.map(({ key }) => key))
  for (const one of schedules)
    claim(one, (each) => each.inside?.number === one.number && !keys.has(each.inside?.key ?? ''))
  return states
}

/** Our own pause ends with its reason. */
const liftedState = ({ paused, note }: Standing): PauseState => (isEngineNote(note) ? ACTIVE : { paused, note })

const isSameState = (one: PauseState, other: PauseState): boolean =>
  one.paused === other.paused && one.note === other.note

const groupBy = <T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> => {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}
