import { appendFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createFileAudit } from '../../src/adapters/file-audit.ts'
import type { EventDetails, EventType, RunEvent } from '../../src/core/run/event.ts'
import type { RunSummary } from '../../src/core/run/view.ts'

const SOPS = [
  'deploy-production',
  'db-backup',
  'patch-fleet',
  'incident-response',
  'cleanup-logs',
  'rotate-keys',
] as const
const PRIORITIES = ['normal', 'high', 'low', 'critical', 'normal'] as const
const TRIGGERS = ['cron', 'manual', 'webhook', 'event', 'cron', 'cron'] as const
const PEOPLE = ['alice', 'bob', 'carol', 'scheduler'] as const
const MINUTE_MS = 60_000

const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T

/** Lines of closed runs, the oldest first, one each ten minutes; the last one began an hour before `endMs`. */
const manySummaries = (count: number, endMs: number): readonly RunSummary[] =>
  Array.from({ length: count }, (_, index): RunSummary => {
    const createdMs = endMs - 60 * MINUTE_MS - (count - 1 - index) * 10 * MINUTE_MS
    const status = index % 17 === 3 ? 'failed' : index % 29 === 5 ? 'cancelled' : 'completed'
    const tookMs = 4_000 + ((index * 7919) % 900) * 1_000
    return {
      runId: `sop_run_${String(index).padStart(8, '0')}`,
      sopName: at(SOPS, index * 5 + Math.floor(index / 7)),
      version: `1.${Math.floor(index / 2500)}.0`,
      digest: String(Math.floor(index / 2500)).repeat(64),
      status,
      priority: at(PRIORITIES, index + Math.floor(index / 5)),
      mode: 'supervised',
      currentStep: status === 'completed' ? null : 3,
      totalSteps: 6,
      createdAt: new Date(createdMs).toISOString(),
      startedAt: new Date(createdMs + 1_500).toISOString(),
      completedAt: new Date(createdMs + 1_500 + tookMs).toISOString(),
      ...(status === 'failed' && {
        reason: `step 3 failed: exit code ${1 + (index % 3)}, disk of host-${index % 40} is full`,
      }),
      ...(status === 'cancelled' && { reason: 'superseded by a newer release' }),
      startedBy: at(PEOPLE, index),
      trigger: at(TRIGGERS, index),
      openGates: [],
      sequence: 12,
    }
  })

/** A list of so many runs in a data directory whose engine is not running: rows without records. */
export const prepareManyRuns = async (dataDir: string, count: number, endMs = Date.now()): Promise<void> => {
  const internal = { active: [], unsettled: [], settledTo: 6, gateSteps: {} }
  const rows = manySummaries(count, endMs).map(
    (run) => `${JSON.stringify({ ...run, ...internal, outcome: run.status })}\n`,
  )
  await mkdir(join(dataDir, 'runs'), { recursive: true, mode: 0o700 })
  await appendFile(join(dataDir, 'runs', 'index.jsonl'), rows.join(''), { mode: 0o600 })
}

/** Records of so many closed runs, one each four hours, that a gate for the DBAs held up: what metrics are made of. */
export const prepareHistory = async (dataDir: string, count: number, endMs = Date.now()): Promise<void> => {
  const audit = createFileAudit({ dataDir })
  for (let index = 0; index < count; index++) {
    const runId = `sop_run_past_${String(index).padStart(4, '0')}`
    const sop = at(SOPS, index)
    await audit.append({ runId, sop }, pastRun(runId, sop, index, endMs - (count - index) * 240 * MINUTE_MS))
  }
  await audit.flush()
}

const pastRun = (runId: string, sop: string, index: number, startMs: number): readonly RunEvent[] => {
  let [sequence, nowMs] = [0, startMs]
  const say = <T extends EventType>(
    afterMs: number,
    eventType: T,
    details: EventDetails[T],
    by = 'alice',
    stepNumber?: number,
  ): RunEvent => {
    nowMs += afterMs
    return {
      sequence: ++sequence,
      timestamp: new Date(nowMs).toISOString(),
      eventType,
      runId,
      ...(stepNumber === undefined ? {} : { stepNumber }),
      principal: { id: by, kind: by === 'timer' ? 'timer' : 'user' },
      via: 'http',
      details,
    } as RunEvent
  }
  const waitMs = (1 + ((index * 37) % 50)) * MINUTE_MS
  const workMs = 20_000 + ((index * 7919) % 240) * 1_000
  const gate = { gate: '1-migrate', attempt: 1 }
  const step = { title: 'Migrate', attempt: 1, duration: `${workMs / 1000}s`, duration_ms: workMs }
  const fails = index % 11 === 4
  return [
    say(0, 'run_created', {
      sop,
      version: '1.0.0',
      digest: 'a'.repeat(64),
      mode: 'auto',
      effectiveMode: 'auto',
      priority: at(PRIORITIES, index),
      params: {},
      trigger: { type: at(TRIGGERS, index) },
      totalSteps: 1,
    }),
    say(1_000, 'run_started', { totalSteps: 1 }),
    say(
      100,
      'approval_requested',
      { ...gate, title: 'Migrate', because: 'requires_approval', approvers: ['group:dba', at(PEOPLE, index)] },
      'engine',
      1,
    ),
    index % 6 === 0
      ? say(waitMs, 'approval_timeout', { ...gate, action: 'approve' }, 'timer', 1)
      : say(waitMs, 'approval_granted', gate, at(PEOPLE, index), 1),
    say(50, 'step_started', { title: 'Migrate', attempt: 1, kind: 'shell' }, 'engine', 1),
    ...(fails
      ? [
          say(
            workMs,
            'step_failed',
            { ...step, error: 'exit code 1', outcome: 'exited', then: 'fail' } as never,
            'engine',
            1,
          ),
          say(
            20,
            'run_failed',
            { reason: 'step 1 failed', duration: '1m', duration_ms: waitMs + workMs } as never,
            'engine',
          ),
        ]
      : [
          say(workMs, 'step_completed', { ...step, exitCode: 0 }, 'engine', 1),
          say(
            20,
            'run_completed',
            { duration: '1m', duration_ms: waitMs + workMs, stepsCompleted: 1, stepsSkipped: 0 },
            'engine',
          ),
        ]),
  ]
}
