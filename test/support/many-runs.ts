import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
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
export const manySummaries = (count: number, endMs: number): readonly RunSummary[] =>
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

/** A list of so many runs in a data directory that no engine has opened yet: rows without records. */
export const prepareManyRuns = async (dataDir: string, count: number, endMs = Date.now()): Promise<void> => {
  const internal = { active: [], unsettled: [], settledTo: 6, gateSteps: {} }
  const rows = manySummaries(count, endMs).map(
    (run) => `${JSON.stringify({ ...run, ...internal, outcome: run.status })}\n`,
  )
  await mkdir(join(dataDir, 'runs'), { recursive: true, mode: 0o700 })
  await writeFile(join(dataDir, 'runs', 'index.jsonl'), rows.join(''), { mode: 0o600 })
}
