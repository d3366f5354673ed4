import { bash } from '../../support/definitions.ts'
import { type TestEngine, until } from '../../support/engine.ts'
import { sopOf } from '../../support/definitions.ts'
import { type Case, DAY_MS, isOver, isPaused, seen } from './case.ts'

const HOSTS = ['web1', 'web2', 'web3', 'web4']

/** An SOP for others to run as a step. */
const child = (engine: TestEngine): Promise<void> => {
  engine.add(
    sopOf({
      name: 'corpus-child',
      params: [{ name: 'host', type: 'string', required: true }],
      steps: [{ requiresApproval: true, action: bash('echo "checked=$host" >> "$SOP_OUTPUT"') }],
    }),
  )
  return Promise.resolve()
}

const approveChild = async (engine: TestEngine, runId: string): Promise<void> => {
  const run = await until(
    () => engine.client.getRunStatus(runId),
    ({ stepResults }) => stepResults[0]?.child !== undefined,
  )
  const childId = run.stepResults[0]?.child ?? ''
  await until(
    () => engine.client.getRunStatus(childId),
    ({ openGates }) => openGates.length > 0,
  )
  await engine.client.approveStep(childId)
}

/** Branches, items, and SOPs that run as steps. */
export const WIDE_CASES: readonly Case[] = [
  {
    name: 'branches',
    until: isOver,
    maxParallel: 2,
    steps: [
      { action: bash('echo "a=1" >> "$SOP_OUTPUT"') },
      { needs: [1] },
      { needs: [1], if: 'a == 1' },
      { needs: [1] },
      { needs: [2, 3, 4] },
    ],
  },
  {
    name: 'parked-at-two-gates',
    until: (run) => run.openGates.length === 2,
    steps: [
      { title: 'A', needs: [], requiresApproval: true, approvalTimeoutMs: DAY_MS },
      { title: 'B', needs: [], requiresApproval: true },
      { needs: [1, 2] },
    ],
  },
  {
    name: 'one-of-two-gates-answered',
    until: (run) => run.openGates.length === 1 && run.stepResults[1]?.status === 'success',
    steps: [
      { title: 'A', needs: [], requiresApproval: true, approvalTimeoutMs: DAY_MS },
      { title: 'B', needs: [], requiresApproval: true },
      { needs: [1, 2] },
    ],
    play: async (engine, runId) => {
      await until(
        () => engine.client.getRunStatus(runId),
        (run) => run.openGates.length === 2,
      )
      await engine.client.approveStep(runId, 2)
    },
  },
  {
    name: 'branch-failed-others-ended',
    until: isOver,
    steps: [
      { needs: [], action: bash('until test -e "$SOP_RUN_DIR/up"; do sleep 0.05; done; exit 3') },
      { needs: [], action: bash('touch "$SOP_RUN_DIR/up"; sleep 60') },
    ],
  },
  {
    name: 'branch-goes-back',
    until: isOver,
    steps: [
      { needs: [], action: bash('echo x >> "$SOP_RUN_DIR/n"') },
      {
        needs: [1],
        action: bash('test "$(wc -l < "$SOP_RUN_DIR/n")" -ge 2'),
        onFailure: { kind: 'goto', step: 1 },
      },
      { needs: [2] },
    ],
  },
  {
    name: 'goes-forward',
    until: isOver,
    steps: [{ action: bash('exit 3'), onFailure: { kind: 'goto', step: 3 } }, {}, {}],
  },
  {
    name: 'each-item',
    until: isOver,
    steps: [
      {
        forEach: HOSTS,
        maxParallel: 2,
        verify: [{ interpreter: 'bash', script: 'test -n "$item"' }],
        action: bash('echo "on=$item" >> "$SOP_OUTPUT"'),
      },
    ],
  },
  {
    name: 'in-the-middle-of-the-items',
    until: (run) => run.stepResults[0]?.items?.success === 2,
    steps: [{ forEach: HOSTS, maxParallel: 2, action: bash('test "$SOP_ITEM_NUMBER" -le 2 || sleep 600') }],
  },
  {
    name: 'items-failed-and-parked',
    until: isPaused,
    params: [{ name: 'hosts', type: 'string', default: 'web1, web2, web3' }],
    steps: [
      {
        forEach: 'hosts',
        maxParallel: 1,
        action: bash('test "$item" != web2'),
        retries: 1,
        onFailure: { kind: 'pause' },
      },
    ],
  },
  {
    name: 'items-retried',
    until: isOver,
    steps: [
      {
        forEach: HOSTS,
        action: bash('test "$item" != web2 -o -e "$SOP_RUN_DIR/again" || { touch "$SOP_RUN_DIR/again"; exit 3; }'),
        onFailure: { kind: 'pause' },
      },
    ],
    play: async (engine, runId) => {
      await until(() => engine.client.getRunStatus(runId), isPaused)
      await engine.client.retryRun(runId)
    },
  },
  {
    name: 'items-kept-and-opened-again',
    until: (run) => run.status === 'completed',
    steps: [
      {
        forEach: HOSTS,
        maxParallel: 1,
        action: bash('test "$item" != web2 -o -e "$SOP_RUN_DIR/again" || { touch "$SOP_RUN_DIR/again"; exit 3; }'),
      },
    ],
    play: async (engine, runId) => {
      await until(() => engine.client.getRunStatus(runId), isOver)
      await engine.client.retryRun(runId, { comment: 'mended' })
    },
  },
  {
    name: 'items-rolled-back',
    until: isOver,
    steps: [
      {
        forEach: HOSTS,
        maxParallel: 1,
        action: bash('test "$item" != web3; echo "on=$item" >> "$SOP_OUTPUT"'),
        rollback: [{ interpreter: 'bash', script: 'echo "$item back from $on"' }],
        onFailure: { kind: 'rollback' },
      },
    ],
  },
  {
    name: 'items-walk-back-parked',
    until: isPaused,
    steps: [
      {
        forEach: HOSTS,
        rollback: [{ interpreter: 'bash', script: 'test "$item" != web2' }],
      },
      { action: bash('exit 3'), onFailure: { kind: 'rollback' } },
    ],
  },
  { name: 'no-items', until: isOver, steps: [{ forEach: '[]' }, {}] },
  {
    name: 'child-parked',
    until: (run) => run.stepResults[0]?.child !== undefined,
    before: child,
    steps: [{ action: { kind: 'sop', sop: 'corpus-child', with: { host: 'db1' } } }],
    play: (engine, runId) => seen(engine, runId, 'step_started'),
  },
  {
    name: 'child-completed',
    until: isOver,
    before: child,
    steps: [{ action: { kind: 'sop', sop: 'corpus-child', with: { host: 'db1' } } }, {}],
    play: approveChild,
  },
  {
    name: 'child-timed-out',
    until: isOver,
    before: child,
    steps: [
      {
        action: { kind: 'sop', sop: 'corpus-child', with: { host: 'db1' } },
        timeoutMs: 400,
        onFailure: { kind: 'fail' },
      },
    ],
  },
  {
    name: 'child-cancelled-with-it',
    until: isOver,
    before: child,
    steps: [{ action: { kind: 'sop', sop: 'corpus-child', with: { host: 'db1' } } }],
    play: async (engine, runId) => {
      const run = await until(
        () => engine.client.getRunStatus(runId),
        ({ stepResults }) => stepResults[0]?.child !== undefined,
      )
      await until(
        () => engine.client.getRunStatus(run.stepResults[0]?.child ?? ''),
        ({ openGates }) => openGates.length > 0,
      )
      await engine.client.cancelRun(runId, { reason: 'enough' })
    },
  },
  {
    name: 'child-out-of-time',
    until: isOver,
    before: child,
    steps: [
      {
        action: { kind: 'sop', sop: 'corpus-child', with: { host: 'db1' } },
        timeoutMs: 2_000,
        onFailure: { kind: 'continue' },
      },
      {},
    ],
  },
  {
    name: 'child-each-item',
    until: (run) => run.stepResults[0]?.items?.running === 2,
    before: child,
    steps: [{ forEach: ['db1', 'db2'], action: { kind: 'sop', sop: 'corpus-child', with: { host: '$item' } } }],
    play: (engine, runId) => seen(engine, runId, 'step_started', 3),
  },
]
