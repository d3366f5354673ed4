import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client } from '@temporalio/client'
import { SopError } from '../core/errors.ts'
import type { PauseState, Standing } from '../core/schedule/plan.ts'
import { ownerMark, type Schedule } from '../core/schedule/schedule.ts'
import { unavailable } from './find-run.ts'
import {
  type Attributes,
  encodeSchedule,
  type RawSchedule,
  readAttributes,
  type SealText,
  scheduleAttributes,
} from './schedule-wire.ts'

// schedule-store.ts: the schedules of this installation in Temporal. Changes go by the raw service, since the SDK's update
// takes no conflict token: it would silently undo a pause that came in between.

/** A fire that Temporal carried out. */
export interface RecentFire {
  /** The nominal time. */
  readonly scheduledAt: string
  readonly runId: string
}

/** One of our schedules as a list shows it; the list may lag behind by a moment. */
export interface ListedSchedule extends Standing {
  /** Oldest first; the last few. */
  readonly recent: readonly RecentFire[]
}

/** What a schedule has counted since it was made. */
export interface ScheduleCounts {
  readonly fired: number
  /** Fires beyond the catch-up window. */
  readonly missed: number
  /** Fires that its overlap policy left out. */
  readonly skipped: number
  readonly dropped: number
}

/** One of our schedules as it stands, with what a change of it needs. */
export interface LookedSchedule extends ListedSchedule {
  readonly inside: NonNullable<Standing['inside']> & { readonly expression: string; readonly timezone: string }
  readonly counts: ScheduleCounts
  readonly raw: RawSchedule
  readonly token: Uint8Array
}

/** `changed`: somebody was faster, look again. `gone`: it is not there any more. */
export type ChangeOutcome = 'done' | 'changed' | 'gone'

export interface ScheduleStore {
  readonly taskQueue: string
  /** All of ours. */
  list(): Promise<readonly ListedSchedule[]>
  /** `foreign`: a schedule of that id that is not ours, whatever its id. */
  look(id: string): Promise<LookedSchedule | 'foreign' | undefined>
  /** @throws SopError `invalid` with what Temporal says of its spec */
  create(schedule: Schedule, state: PauseState): Promise<'created' | 'exists'>
  update(looked: LookedSchedule, schedule: Schedule, state: PauseState): Promise<ChangeOutcome>
  setPause(looked: LookedSchedule, state: PauseState): Promise<ChangeOutcome>
  /** Harmless where it is gone. Only for what was looked at, and is ours. */
  remove(id: string): Promise<void>
  /** Fires now, whether it is paused or not. */
  trigger(id: string): Promise<void>
  /** Fires at its times in `[from, to)`, as if they were now. */
  backfill(id: string, fromMs: number, toMs: number): Promise<void>
}

export interface ScheduleStoreDeps {
  readonly temporal: () => Client
  readonly taskQueue: string
  readonly seal: SealText
  readonly now: () => number
}

const NOT_FOUND = 5
const ALREADY_EXISTS = 6
const FAILED_PRECONDITION = 9
const INVALID_ARGUMENT = 3
const PAGE = 1_000
/** How long a change may take to be carried out. */
const SETTLE_MS = 10_000

const codeOf = (error: unknown): number | undefined => (error as { readonly code?: number } | undefined)?.code

export const createScheduleStore = ({ temporal, taskQueue, seal, now }: ScheduleStoreDeps): ScheduleStore => {
  const mark = ownerMark(taskQueue)
  const service = () => temporal().workflowService
  const request = () => ({
    namespace: temporal().options.namespace,
    identity: temporal().options.identity,
    requestId: randomUUID(),
  })

  const look = async (id: string): Promise<LookedSchedule | 'foreign' | undefined> => {
    try {
      const { schedule, info, searchAttributes, conflictToken } = await service().describeSchedule({
        namespace: temporal().options.namespace,
        scheduleId: id,
      })
      const attributes = readAttributes(searchAttributes?.indexedFields)
      if (attributes['SopTrigger'] !== mark || schedule == null) return 'foreign'
      const memo = readAttributes(schedule.action?.startWorkflow?.memo?.fields)
      return {
        id,
        sop: text(attributes['SopName']),
        // As it was written with the rest: the attributes, by which the list knows it, come after.
        digest: text(memo['digest']),
        paused: schedule.state?.paused === true,
        note: schedule.state?.notes ?? '',
        recent: recentOf(info?.recentActions),
        inside: {
          path: text(memo['path']),
          key: text(memo['trigger']),
          number: Number(memo['number'] ?? 0),
          expression: text(memo['expression']),
          timezone: schedule.spec?.timezoneName ?? 'UTC',
        },
        counts: {
          fired: Number(info?.actionCount ?? 0),
          missed: Number(info?.missedCatchupWindow ?? 0),
          skipped: Number(info?.overlapSkipped ?? 0),
          dropped: Number(info?.bufferDropped ?? 0),
        },
        raw: schedule,
        token: conflictToken ?? new Uint8Array(),
      }
    } catch (error) {
      if (codeOf(error) === NOT_FOUND) return undefined
      throw unavailable(error)
    }
  }

  /** Until another change than `before` is to be seen: Temporal answers before it has carried one out. */
  const lookPast = async (id: string, before: Uint8Array): Promise<LookedSchedule | undefined> => {
    const end = now() + SETTLE_MS
    for (let pauseMs = 5; ; pauseMs = Math.min(pauseMs * 2, 100)) {
      const found = await look(id)
      if (found === undefined || found === 'foreign') return undefined
      if (Buffer.compare(found.token, before) !== 0 || now() > end) return found
      await delay(pauseMs)
    }
  }

  /** Temporal takes a change before it looks at the token: only what stands afterwards says whether it was carried out. */
  const change = async (
    { id, token }: LookedSchedule,
    schedule: RawSchedule,
    wanted: { readonly digest: string; readonly state: PauseState; readonly attributes?: Attributes },
  ): Promise<ChangeOutcome> => {
    try {
      await service().updateSchedule({
        ...request(),
        scheduleId: id,
        schedule,
        conflictToken: token,
        ...(wanted.attributes && { searchAttributes: { indexedFields: wanted.attributes } }),
      })
    } catch (error) {
      if (codeOf(error) === NOT_FOUND) return 'gone'
      if (codeOf(error) === FAILED_PRECONDITION) return 'changed'
      throw refused(id, error)
    }
    const after = await lookPast(id, token)
    if (after === undefined) return 'gone'
    const { paused, note } = wanted.state
    return after.digest === wanted.digest && after.paused === paused && after.note === note ? 'done' : 'changed'
  }

  const patch = async (id: string, patches: Patch): Promise<void> => {
    try {
      await service().patchSchedule({ ...request(), scheduleId: id, patch: patches })
    } catch (error) {
      throw refused(id, error)
    }
  }

  return {
    taskQueue,
    look,
    list: async () => {
      const found: ListedSchedule[] = []
      let nextPageToken: Uint8Array | undefined
      try {
        do {
          const page: Awaited<ReturnType<Client['workflowService']['listSchedules']>> = await service().listSchedules({
            namespace: temporal().options.namespace,
            maximumPageSize: PAGE,
            query: `SopTrigger = '${mark.replaceAll("'", "''")}'`,
            ...(nextPageToken !== undefined && { nextPageToken }),
          })
          for (const { scheduleId, info, searchAttributes } of page.schedules) {
            const attributes = readAttributes(searchAttributes?.indexedFields)
            found.push({
              id: scheduleId ?? '',
              sop: text(attributes['SopName']),
              digest: text(attributes['SopDigest']),
              paused: info?.paused === true,
              note: info?.notes ?? '',
              recent: recentOf(info?.recentActions),
            })
          }
          nextPageToken = page.nextPageToken
        } while (nextPageToken !== undefined && nextPageToken.length > 0)
      } catch (error) {
        throw unavailable(error)
      }
      return found
    },
    create: async (schedule, state) => {
      try {
        await service().createSchedule({
          ...request(),
          scheduleId: schedule.id,
          schedule: encodeSchedule(schedule, state, { taskQueue, seal, nowMs: now() }),
          searchAttributes: { indexedFields: scheduleAttributes(schedule, mark) },
        })
        return 'created'
      } catch (error) {
        if (codeOf(error) === ALREADY_EXISTS) return 'exists'
        throw refused(schedule.id, error)
      }
    },
    update: (looked, schedule, state) => {
      const raw = encodeSchedule(schedule, state, { taskQueue, seal, nowMs: now() })
      // How often it may still fire is nothing that a file says.
      const { limitedActions = false, remainingActions = null } = looked.raw.state ?? {}
      return change(
        looked,
        { ...raw, state: { ...raw.state, limitedActions, remainingActions } },
        { digest: schedule.digest, state, attributes: scheduleAttributes(schedule, mark) },
      )
    },
    setPause: (looked, state) =>
      change(
        looked,
        { ...looked.raw, state: { ...looked.raw.state, paused: state.paused, notes: state.note } },
        { digest: looked.digest, state },
      ),
    remove: async (id) => {
      try {
        await service().deleteSchedule({ namespace: temporal().options.namespace, scheduleId: id })
      } catch (error) {
        if (codeOf(error) !== NOT_FOUND) throw unavailable(error)
      }
    },
    trigger: async (id) => {
      await patch(id, { triggerImmediately: {} })
    },
    backfill: async (id, fromMs, toMs) => {
      // Temporal takes both ends along.
      await patch(id, { backfillRequest: [{ startTime: instantOf(fromMs), endTime: instantOf(toMs - 1_000) }] })
    },
  }
}

type Patch = NonNullable<Parameters<Client['workflowService']['patchSchedule']>[0]['patch']>

// A number is as good as a Long on the wire; its type does not say so.
const instantOf = (ms: number) => ({ seconds: Math.floor(ms / 1_000) }) as unknown as { readonly seconds: never }

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const refused = (id: string, error: unknown): SopError => {
  if (codeOf(error) === NOT_FOUND)
    return new SopError('not_found', `Cannot find schedule "${id}": Temporal has none of that id`)
  if (codeOf(error) !== INVALID_ARGUMENT) return unavailable(error)
  const details = (error as { readonly details?: string }).details ?? String(error)
  return new SopError('invalid', `Cannot make schedule "${id}": Temporal says ${details}`, {}, error)
}

interface RawFire {
  readonly scheduleTime?: { readonly seconds?: unknown } | null
  readonly startWorkflowResult?: { readonly workflowId?: string | null } | null
}

const recentOf = (fires: readonly RawFire[] | null | undefined): readonly RecentFire[] =>
  (fires ?? []).flatMap(({ scheduleTime, startWorkflowResult }) =>
    scheduleTime == null || startWorkflowResult == null
      ? []
      : [
          {
            scheduledAt: new Date(Number(scheduleTime.seconds ?? 0) * 1_000).toISOString(),
            runId: startWorkflowResult.workflowId ?? '',
          },
        ],
  )
