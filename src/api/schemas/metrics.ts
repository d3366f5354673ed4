import { z } from 'zod'
import {
  type ApprovalFigures,
  type DayFigures,
  type DeciderFigures,
  type Durations,
  METRIC_DAYS,
  type MetricsReport,
  type RunFigures,
  type SopFigures,
  type StepFigures,
  type WaitFigures,
} from '../../core/metrics/report.ts'
import { components, list } from './registry.ts'

const count = z.int().min(0)
const rate = z.number().min(0).max(1).nullable()
const ms = z.number().nullable()
const day = z.string().describe('UTC day, `2026-03-01`')

const durations: z.ZodType<Durations> = z
  .object({ count, totalMs: z.number(), p50Ms: ms, p95Ms: ms })
  .register(components, {
    id: 'Durations',
    description:
      'Milliseconds. The quantiles are off by 2.5 % at most, `totalMs` is exact; null where nothing was measured',
  })

const approvals: z.ZodType<ApprovalFigures> = z
  .object({
    approved: count,
    rejected: count,
    approvedByTimer: count,
    rejectedByTimer: count.describe('The timer rejected, or failed the run'),
    escalated: count,
    withdrawn: count.describe('The run ended, went back or skipped the step before anybody decided'),
    skipped: count.describe('Given with the start of the run (skipApproval); in no wait'),
    wait: durations,
  })
  .register(components, { id: 'ApprovalFigures', description: 'How gates closed, and how long they had been open' })

const skippedSteps = z.object({ byCondition: count, byPerson: count, otherwise: count })
const retries = z.object({ byEngine: count, byPerson: count })

const runFields = {
  created: count,
  started: count,
  completed: count,
  failed: count,
  cancelled: count.describe('With the refused ones'),
  refused: count.describe('Never let in: cooldown, conditions, blackout'),
  successRate: rate.describe('completed / (completed + failed)'),
  elapsed: durations.describe('Of completed runs, waits for people and in the queue included'),
  working: durations.describe('Of completed runs, without the time in which they only waited for people or for a slot'),
  approvals,
  inputWait: durations.describe('How long manual steps waited to be done'),
  paused: durations,
  queued: durations.describe('How long runs waited for a slot'),
  skippedSteps,
  retries,
  people: z.object({
    attended: count.describe('Runs that ended in which a person acted'),
    attendedRate: rate,
    unplanned: count.describe('Runs that ended in which a person had to act though no gate or manual step asked'),
    unplannedRate: rate,
  }),
  forced: count,
  approvalsSkipped: count,
  reopened: count,
}

const runFigures: z.ZodType<RunFigures> = z.object(runFields).register(components, { id: 'RunFigures' })
const dayFigures: z.ZodType<DayFigures> = z.object({ day, ...runFields }).register(components, { id: 'DayFigures' })
const sopFigures: z.ZodType<SopFigures> = z
  .object({ sop: z.string(), ...runFields })
  .register(components, { id: 'SopFigures' })

const stepFigures: z.ZodType<StepFigures> = z
  .object({
    step: z.int().min(1),
    title: z.string().describe('As it was last called'),
    started: count.describe('Executions: a retry is one more'),
    completed: count,
    failed: count,
    unknown: count,
    rolledBack: count,
    skipped: skippedSteps,
    retries,
    successRate: rate,
    duration: durations.describe('Of completed executions by the engine; manual steps are in `inputWait`'),
    approvals,
    inputWait: durations,
  })
  .register(components, { id: 'StepFigures' })

const decider: z.ZodType<DeciderFigures> = z
  .object({ who: z.string(), approved: count, rejected: count, wait: durations })
  .register(components, { id: 'DeciderFigures' })
const waited: z.ZodType<WaitFigures> = z
  .object({ who: z.string(), wait: durations })
  .register(components, { id: 'WaitFigures' })

export const metricsReport: z.ZodType<MetricsReport> = z
  .object({
    days: z.literal(METRIC_DAYS),
    from: day,
    to: day,
    sop: z.string().nullable(),
    quantileError: z.number(),
    total: runFigures,
    daily: list(dayFigures).describe('Each day, oldest first'),
    sops: list(sopFigures).describe('Most runs first'),
    steps: list(stepFigures).describe('Of the SOP that was asked for; without one empty'),
    decidedBy: list(decider).describe('Who decided at gates (`user:alice`), longest waits first; at most 50'),
    waitedFor: list(waited).describe('Whom gates named (`group:dba`), longest waits first; at most 50'),
  })
  .register(components, { id: 'Metrics' })
