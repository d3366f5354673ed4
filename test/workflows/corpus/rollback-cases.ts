import { bash, command } from '../../support/definitions.ts'
import { type TestEngine, until } from '../../support/engine.ts'
import { type Case, DAY_MS, isOver, isPaused } from './case.ts'

const undo = { rollback: [command('echo undone')] }
const failsBack = { action: bash('exit 3'), onFailure: { kind: 'rollback' } } as const

/** Runs that walk back, and those that go back to an earlier step. */
export const ROLLBACK_CASES: readonly Case[] = [
  { name: 'rolled-back-by-failure', until: isOver, steps: [undo, {}, undo, failsBack] },
  {
    name: 'rolled-back-by-rejection',
    until: isOver,
    steps: [undo, { requiresApproval: true, approvalTimeoutMs: DAY_MS, onReject: 'rollback' }],
    play: async (engine, runId) => {
      await atGate(engine, runId)
      await engine.client.rejectStep(runId, 2, { reason: 'no' })
    },
  },
  {
    name: 'rolled-back-by-cancel',
    until: isOver,
    steps: [undo, { action: bash('sleep 60') }],
    play: async (engine, runId) => {
      await until(
        () => engine.client.getRunStatus(runId),
        ({ stepResults }) => stepResults[1]?.status === 'running',
      )
      await engine.client.cancelRun(runId, { rollback: true, reason: 'wrong host' })
    },
  },
  {
    name: 'rolled-back-by-timeout',
    until: isOver,
    timeoutMs: 1_500,
    onRunTimeout: 'rollback',
    steps: [undo, { action: { kind: 'wait', durationMs: DAY_MS } }],
  },
  { name: 'rollback-failed-and-parked', until: isPaused, steps: [{ rollback: [command('exit 4')] }, failsBack] },
  {
    name: 'rollback-at-point-of-no-return',
    until: isPaused,
    steps: [undo, { ...undo, pointOfNoReturn: true }, undo, failsBack],
  },
  {
    name: 'rollback-answered',
    until: isOver,
    steps: [undo, { rollback: [command('exit 4')] }, { pointOfNoReturn: true }, failsBack],
    play: async (engine, runId) => {
      for (const step of [3, 2]) {
        await until(
          () => engine.client.getRunStatus(runId),
          (run) => isPaused(run) && run.currentStep === step,
        )
        await (step === 3 ? engine.client.retryRun(runId) : engine.client.skipStep(runId, step, { reason: 'by hand' }))
      }
    },
  },
  {
    name: 'retried-from-earlier-step',
    until: (run) => run.openGates[0]?.attempt === 2,
    params: [{ name: 'version', type: 'string', default: '1.4.2' }],
    steps: [
      {},
      { requiresApproval: true, approvalTimeoutMs: DAY_MS },
      { action: bash('exit 3'), onFailure: { kind: 'pause' } },
    ],
    play: async (engine, runId) => {
      await atGate(engine, runId)
      await engine.client.approveStep(runId, 2)
      await until(() => engine.client.getRunStatus(runId), isPaused)
      await engine.client.retryRun(runId, { step: 1, params: { version: '1.4.3' } })
    },
  },
  {
    name: 'opened-again-and-parked',
    until: (run) => run.openGates[0]?.stepNumber === 2,
    steps: [
      { action: bash('test -e "$SOP_RUN_DIR/again" || { touch "$SOP_RUN_DIR/again"; exit 3; }') },
      { requiresApproval: true, approvalTimeoutMs: DAY_MS },
    ],
    play: async (engine, runId) => {
      await until(() => engine.client.getRunStatus(runId), isOver)
      await engine.client.retryRun(runId, { comment: 'mended' })
    },
  },
  {
    name: 'unknown-and-parked',
    until: isPaused,
    steps: [{}, { action: bash('sleep 60') }],
    play: async (engine, runId) => {
      await until(
        () => engine.client.getRunStatus(runId),
        ({ stepResults }) => stepResults[1]?.status === 'running',
      )
      await engine.stopWorker()
      await engine.startWorker()
    },
  },
]

function atGate(engine: TestEngine, runId: string) {
  return until(
    () => engine.client.getRunStatus(runId),
    ({ openGates }) => openGates.length > 0,
  )
}
