import type { Client } from '@temporalio/client'
import { defaultPayloadConverter } from '@temporalio/common'
import { parseCron } from '../core/schedule/cron.ts'
import { type CalendarSpec, fireSpec, type Range } from '../core/schedule/fire-spec.ts'
import type { PauseState } from '../core/schedule/plan.ts'
import type { OverlapPolicy, Schedule } from '../core/schedule/schedule.ts'
import { sealedSchedule, type StartedBySchedule } from '../core/schedule/sealed-schedule.ts'
import { RUN_WORKFLOW, type RunSopInput } from '../workflows/messages.ts'

// schedule-wire.ts: a schedule of ours in the words of Temporal's service.

export type SealText = (text: string) => string
export type RawSchedule = NonNullable<Awaited<ReturnType<Client['workflowService']['describeSchedule']>>['schedule']>
type Payload = ReturnType<typeof defaultPayloadConverter.toPayload>
export type Attributes = Record<string, Payload>

/** Temporal's ScheduleOverlapPolicy; its names are not exported to ES modules. */
const OVERLAPS: Readonly<Record<OverlapPolicy, number>> = {
  skip: 1,
  buffer_one: 2,
  buffer_all: 3,
  cancel_other: 4,
  terminate_other: 5,
  allow_all: 6,
}
const PRIORITY_KEYS = { critical: 1, high: 2, normal: 3, low: 5 } as const

export interface EncodeOptions {
  readonly taskQueue: string
  readonly seal: SealText
  readonly nowMs: number
}

/** The argument of the runs of a schedule, sealed. */
export const scheduleInput = (schedule: Schedule, seal: SealText): RunSopInput => {
  const { id, runPrefix, number, sop, params } = schedule
  const startedBy: StartedBySchedule = { id, runPrefix, number }
  return {
    sop,
    ...(params && { params }),
    schedule: startedBy,
    seal: seal(sealedSchedule(sop, startedBy, params)),
  }
}

export const encodeSchedule = (
  schedule: Schedule,
  state: PauseState,
  { taskQueue, seal, nowMs }: EncodeOptions,
): RawSchedule => {
  const { calendars, intervals } = fireSpec(parseCron(schedule.expression), schedule.timezone, nowMs)
  const { sop, path, key, number, title, priority, digest, expression } = schedule
  return {
    spec: {
      structuredCalendar: calendars.map(encodeCalendar),
      interval: intervals.map(({ every, phase }) => ({ interval: { seconds: every }, phase: { seconds: phase } })),
      timezoneName: schedule.timezone,
      jitter: durationOf(schedule.jitterMs),
    },
    policies: { overlapPolicy: OVERLAPS[schedule.overlap], catchupWindow: durationOf(schedule.catchUpMs) },
    action: {
      startWorkflow: {
        workflowId: schedule.runPrefix,
        workflowType: { name: RUN_WORKFLOW },
        taskQueue: { name: taskQueue },
        input: { payloads: [payloadOf(scheduleInput(schedule, seal))] },
        memo: { fields: memoOf({ sop, path, trigger: key, number, digest, expression }) },
        searchAttributes: { indexedFields: { SopName: keyword(sop), SopTrigger: keyword('cron') } },
        userMetadata: { summary: payloadOf(title.slice(0, 200)) },
        priority: { priorityKey: PRIORITY_KEYS[priority], fairnessKey: sop.slice(0, 64) },
      },
    },
    state: { paused: state.paused, notes: state.note },
  } as unknown as RawSchedule
}

/** What Temporal's list of schedules shows of ours; it has them in the same fields as runs. */
export const scheduleAttributes = (schedule: Schedule, mark: string): Attributes => ({
  SopName: keyword(schedule.sop),
  SopDigest: keyword(schedule.digest),
  SopTrigger: keyword(mark),
})

/** The values behind payloads, by name; undefined for what cannot be read. */
export const readAttributes = (
  fields: Readonly<Record<string, unknown>> | null | undefined,
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(fields ?? {}).map(([name, payload]) => {
      try {
        return [name, defaultPayloadConverter.fromPayload(payload as Payload)]
      } catch {
        return [name, undefined]
      }
    }),
  )

const memoOf = (values: Readonly<Record<string, unknown>>): Attributes =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, payloadOf(value)]))

const payloadOf = (value: unknown): Payload => defaultPayloadConverter.toPayload(value)

const keyword = (value: string): Payload => {
  const payload = payloadOf(value)
  return { ...payload, metadata: { ...payload.metadata, type: new TextEncoder().encode('Keyword') } }
}

const durationOf = (ms: number): { readonly seconds: number; readonly nanos: number } => ({
  seconds: Math.floor(ms / 1_000),
  nanos: (ms % 1_000) * 1_000_000,
})

const rangeOf = ({ start, end, step }: Range) => ({ start, end, step })

const encodeCalendar = (spec: CalendarSpec) => ({
  second: spec.second.map(rangeOf),
  minute: spec.minute.map(rangeOf),
  hour: spec.hour.map(rangeOf),
  dayOfMonth: spec.dayOfMonth.map(rangeOf),
  month: spec.month.map(rangeOf),
  dayOfWeek: spec.dayOfWeek.map(rangeOf),
  ...(spec.year && { year: spec.year.map(rangeOf) }),
})
