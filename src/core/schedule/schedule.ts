import { canonicalJson, sha256Hex } from '../canonical.ts'
import type { Json, Priority, SopDefinition } from '../definition.ts'
import { cronsOf, type CronTrigger } from './cron-trigger.ts'
import { YEARS_AHEAD } from './fire-spec.ts'
import { zoneOf } from './zone.ts'

// schedule.ts: which schedules an SOP calls for. A schedule is one cron trigger of one SOP as it stands in Temporal.

/** A fire that is later than this is missed (rulings 25). */
const DEFAULT_CATCH_UP_MS = 86_400_000
/** Temporal takes no shorter one. */
const LEAST_CATCH_UP_MS = 10_000
/** What is written to Temporal has another form since: every schedule is written anew. */
const FORM = 1

const OVERLAP_POLICIES = ['allow_all', 'skip', 'buffer_one', 'buffer_all', 'cancel_other', 'terminate_other'] as const
export type OverlapPolicy = (typeof OVERLAP_POLICIES)[number]

/** What belongs to the installation, and is the same for all its schedules. */
export interface ScheduleSettings {
  /** Where the runs go. Installations that share a namespace differ in it, so it also says whose a schedule is. */
  readonly taskQueue: string
  /** Zone of the crons that name none, and whose SOP names none. */
  readonly timezone: string
  /** The key that seals them. */
  readonly authority: string
}

/** One schedule as the files call for it. */
export interface Schedule {
  readonly id: string
  /** What the ids of its runs begin with; the nominal time follows. */
  readonly runPrefix: string
  readonly sop: string
  /** Main file of the SOP, relative to the SOP directory. */
  readonly path: string
  /** Counts the cron triggers of the SOP, from 1. */
  readonly number: number
  readonly expression: string
  readonly timezone: string
  readonly overlap: OverlapPolicy
  readonly catchUpMs: number
  readonly jitterMs: number
  readonly params?: Readonly<Record<string, Json>>
  readonly priority: Priority
  readonly title: string
  /** What it is known by when its place among the triggers changes: expression, zone and params. */
  readonly key: string
  /** Of all that is written to Temporal: the same digest, nothing to write. */
  readonly digest: string
}

/** Every schedule of this installation carries it as its `SopTrigger`. Wire format. */
export const ownerMark = (taskQueue: string): string => `cron@${taskQueue}`

const inQueue = (taskQueue: string, separator: string): string =>
  taskQueue === 'sop' ? '' : `${separator}${taskQueue}`

/** @param number counts the cron triggers of the SOP, from 1 */
export const scheduleId = (taskQueue: string, sop: string, number: number): string =>
  `sop_schedule${inQueue(taskQueue, '-')}_${sop}_${number}`

/** The schedules of a definition, in the order of its triggers. @param nowMs says up to which year clock changes are written */
export const schedulesOf = (
  definition: SopDefinition,
  path: string,
  settings: ScheduleSettings,
  nowMs: number,
): readonly Schedule[] =>
  cronsOf(definition).map((trigger, at) => {
    const number = at + 1
    const sop = definition.name
    const timezone = trigger.timezone ?? definition.timezone ?? settings.timezone
    const written = {
      id: scheduleId(settings.taskQueue, sop, number),
      runPrefix: `sop_run${inQueue(settings.taskQueue, '_')}_${sop}_${number}`,
      sop,
      path,
      number,
      expression: trigger.expression,
      timezone,
      overlap: overlapOf(trigger),
      catchUpMs: Math.max(trigger.catchUpMs ?? DEFAULT_CATCH_UP_MS, LEAST_CATCH_UP_MS),
      jitterMs: trigger.jitterMs ?? 0,
      priority: definition.priority,
      title: definition.title,
      ...(trigger.params !== undefined && { params: trigger.params }),
    }
    const { authority, taskQueue } = settings
    return {
      ...written,
      key: sha256Hex(canonicalJson([trigger.expression, timezone, trigger.params ?? null])).slice(0, 16),
      digest: sha256Hex(
        canonicalJson({ ...written, authority, taskQueue, form: FORM, clocks: clocks(timezone, nowMs) }),
      ),
    }
  })

const overlapOf = ({ overlap }: CronTrigger): OverlapPolicy =>
  OVERLAP_POLICIES.find((each) => each === overlap) ?? 'allow_all'

const known = new Map<string, string>()

/** When the clocks of a zone change is part of what is written, and comes new with a year or with the platform's zone data. */
const clocks = (timezone: string, nowMs: number): string => {
  const first = new Date(nowMs).getUTCFullYear()
  const name = `${timezone} ${first}`
  const found = known.get(name)
  if (found !== undefined) return found
  const zone = zoneOf(timezone)
  const changes = Array.from({ length: YEARS_AHEAD }, (_, ahead) => zone.changesIn(first + ahead)).flat()
  const text = changes.length === 0 ? 'none' : sha256Hex(canonicalJson(changes))
  known.set(name, text)
  return text
}
