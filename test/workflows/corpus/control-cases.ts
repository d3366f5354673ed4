import { bash } from '../../support/definitions.ts'
import { type TestEngine, until } from '../../support/engine.ts'
import { type Case, DAY_MS, isOver, isPaused } from './case.ts'

/** What people do to runs: pause, resume, retry, skip, cancel; and runs that went over to a next execution. */
export const CONTROL_CASES: readonly Case[] = [
  {
    name: 'cancelled-at-gate',
    until: isOver,
    steps: [{ requiresApproval: true }],
    play: (engine, runId) => engine.client.cancelRun(runId, { reason: 'enough' }),
  },
  {
    name: 'cancelled-in-mid-step',
    until: isOver,
    steps: [{ action: bash('sleep 60') }],
    play: (engine, runId) => engine.client.cancelRun(runId, { reason: 'enough' }),
  },
  {
    name: 'paused-at-gate',
    until: isPaused,
    steps: [{ requiresApproval: true, approvalTimeoutMs: DAY_MS }],
    play: (engine, runId) => engine.client.pauseRun(runId, { reason: 'lunch' }),
  },
  {
    name: 'resumed-at-gate',
    until: (run) => run.openGates.length > 0,
    steps: [{ requiresApproval: true, approvalTimeoutMs: DAY_MS }],
    play: async (engine, runId) => {
      await engine.client.pauseRun(runId, { reason: 'lunch' })
      await engine.client.resumeRun(runId)
    },
  },
  {
    name: 'pause-in-mid-step',
    until: isPaused,
    steps: [{ action: bash('sleep 1') }, {}],
    play: (engine, runId) => engine.client.pauseRun(runId, { reason: 'lunch' }),
  },
  {
    name: 'skipped-after-failure',
    until: isOver,
    steps: [{ action: bash('exit 3'), onFailure: { kind: 'pause' } }, {}],
    play: async (engine, runId) => {
      await until(() => engine.client.getRunStatus(runId), isPaused)
      await engine.client.skipStep(runId, 1, { reason: 'known' })
    },
  },
  {
    name: 'retried-after-failure',
    until: isOver,
    steps: [
      {
        action: bash('test -e "$SOP_RUN_DIR/again" || { touch "$SOP_RUN_DIR/again"; exit 3; }'),
        onFailure: { kind: 'pause' },
      },
    ],
    play: async (engine, runId) => {
      await until(() => engine.client.getRunStatus(runId), isPaused)
      await engine.client.retryRun(runId)
    },
  },
  {
    name: 'continued-and-parked',
    until: (run) => run.openGates[0]?.stepNumber === 2,
    steps: [{}, { requiresApproval: true, approvalTimeoutMs: DAY_MS }],
    play: fillHistory,
  },
]

/** A history of more than 4 MiB is long for Temporal: the run goes over to a next execution. */
async function fillHistory({ temporal }: TestEngine, runId: string): Promise<void> {
  const handle = temporal.workflow.getHandle(runId)
  const { runId: first } = await handle.describe()
  const ballast = 'x'.repeat(1_200_000)
  for (let each = 0; each < 4; each += 1) await handle.signal('approve', { gate: 'no-such-gate', ballast })
  await until(
    () => handle.describe(),
    (found) => found.runId !== first,
  )
}
