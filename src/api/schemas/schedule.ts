import { z } from 'zod'
import type { DueFire, SchedulePauseRequest, ScheduleRange, ScheduleView } from '../../client/schedule-client.ts'
import { SCHEDULE_STATES } from '../../core/schedule/state.ts'
import { whole } from '../query.ts'
import { components, instant, jsonRecord, list } from './registry.ts'

const reference = z.string().describe('ISO-8601, with a zone or Z')

export const scheduleView: z.ZodType<ScheduleView> = z
  .object({
    id: z.string(),
    sop: z.string(),
    expression: z.string(),
    timezone: z.string().describe('IANA zone in which the expression is read'),
    state: z.enum(SCHEDULE_STATES).describe('missing: not made yet, or Temporal refused it'),
    pausedBy: z.string().exactOptional().describe('A principal and its surface, the engine, or somebody in Temporal'),
    pauseReason: z.string().exactOptional(),
    broken: z
      .string()
      .exactOptional()
      .describe('Why no run of its SOP can start; its last good schedule stands paused'),
    overlap: z.string().exactOptional(),
    catchUpMs: z.number().exactOptional(),
    jitterMs: z.number().exactOptional(),
    params: jsonRecord.exactOptional(),
    next: list(instant).describe('The next times, jitter aside; of a paused one what it misses'),
    recent: list(z.object({ scheduledAt: instant, runId: z.string(), status: z.string().exactOptional() })).describe(
      'The last fires, newest first',
    ),
  })
  .register(components, {
    id: 'Schedule',
    description: 'One cron trigger, as its file has it and as it stands in Temporal',
  })

export const scheduleList = z.object({ schedules: list(scheduleView) }).register(components, { id: 'ScheduleList' })

const dueFire: z.ZodType<DueFire> = z
  .object({
    at: instant,
    schedule: z.string(),
    sop: z.string(),
    params: jsonRecord,
    blocked: z.string().exactOptional().describe('Why it starts no run, as things stand'),
  })
  .register(components, { id: 'DueFire' })

export const dueFires = z.object({ fires: list(dueFire) }).register(components, { id: 'DueFires' })

export const scheduleQuery: z.ZodType<{ readonly sop?: string }> = z.strictObject({ sop: z.string().exactOptional() })

export const upcomingQuery: z.ZodType<ScheduleRange & { readonly sop?: string; readonly limit?: number }> =
  z.strictObject({
    from: reference,
    to: reference.describe('Not part of the range'),
    sop: z.string().exactOptional(),
    limit: whole(1, 1_000).exactOptional().describe('Default: 200'),
  })

export const pauseBody: z.ZodType<SchedulePauseRequest> = z
  .strictObject({ comment: z.string().max(500).exactOptional().describe('Why; whoever lists the schedules reads it') })
  .register(components, { id: 'SchedulePause' })

export const nothing = z.strictObject({}).register(components, { id: 'Nothing' })

export const rangeBody: z.ZodType<ScheduleRange> = z
  .strictObject({ from: reference, to: reference.describe('Not part of the range; not in the future') })
  .register(components, { id: 'ScheduleRange' })

export const fired = z
  .object({
    schedule: z.string(),
    runId: z.string().exactOptional().describe('Absent where the overlap policy holds the fire back'),
  })
  .register(components, { id: 'Fired' })

export const backfilled = z
  .object({ schedule: z.string(), fires: list(instant).describe('The times that it fires at now') })
  .register(components, { id: 'Backfilled' })
