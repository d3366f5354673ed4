import { bash, command } from '../../support/definitions.ts'
import { until } from '../../support/engine.ts'
import { type Case, DAY_MS, isOver, isParked, isPaused } from './case.ts'

const isWaiting = (run: { readonly stepResults: readonly { readonly status: string }[] }): boolean =>
  run.stepResults.some(({ status }) => status === 'running')

/** Steps of every kind, and what follows when they fail. */
export const STEP_CASES: readonly Case[] = [
  {
    name: 'manual-parked',
    until: isParked,
    steps: [
      { action: { kind: 'manual', checklist: ['look'], form: [{ name: 'ticket', type: 'string' }], dueMs: DAY_MS } },
    ],
  },
  {
    name: 'manual-completed',
    until: isOver,
    steps: [{ action: { kind: 'manual', form: [{ name: 'ticket', type: 'string' }] } }, { if: 'ticket == "OPS-1"' }],
    play: (engine, runId) => engine.client.completeStep(runId, 1, { values: { ticket: 'OPS-1' } }),
  },
  {
    name: 'manual-checked',
    until: isOver,
    steps: [
      {
        action: { kind: 'manual', form: [{ name: 'disk', type: 'string' }] },
        verify: [command('test "$disk" = sdb')],
        retries: 1,
        timeoutMs: DAY_MS,
      },
      { action: { kind: 'wait', durationMs: 300 }, verify: [command('true')] },
    ],
    play: async (engine, runId) => {
      await engine.client.completeStep(runId, 1, { values: { disk: 'sda' } })
      await until(
        () => engine.client.getRunStatus(runId),
        (run) => isParked(run) && run.stepResults[0]?.attempt === 2,
      )
      await engine.client.completeStep(runId, 1, { values: { disk: 'sdb' } })
    },
  },
  {
    name: 'manual-ticked-and-overdue',
    until: (run) => run.openInputs[0]?.overdue === true,
    steps: [{ action: { kind: 'manual', checklist: ['look', 'listen'], dueMs: 400, assignee: 'alice' } }],
    play: (engine, runId) => engine.client.completeStep(runId, 1, { item: 2 }),
  },
  {
    name: 'manual-failed',
    until: isPaused,
    steps: [{ action: { kind: 'manual' }, onFailure: { kind: 'pause' }, timeoutMs: DAY_MS }],
    play: (engine, runId) => engine.client.completeStep(runId, 1, { failed: true, comment: 'it is on fire' }),
  },
  { name: 'wait', until: isOver, steps: [{ action: { kind: 'wait', durationMs: 300 } }] },
  { name: 'wait-parked', until: isWaiting, steps: [{ action: { kind: 'wait', durationMs: DAY_MS } }] },
  {
    name: 'http-failed',
    until: isPaused,
    steps: [
      {
        // Port 9 discards: nothing listens there.
        action: {
          kind: 'http',
          method: 'POST',
          url: 'http://127.0.0.1:9/',
          headers: { a: 'b' },
          body: 'x',
          expect: [201],
        },
        onFailure: { kind: 'pause' },
      },
    ],
  },
  {
    name: 'shell-settings',
    until: isOver,
    env: { ALL: 'x' },
    secrets: ['CORPUS_SECRET'],
    steps: [
      {
        action: bash('pwd; echo "$ALL $ONE"; echo "size=3" >> "$SOP_OUTPUT"'),
        cwd: '/',
        env: { ONE: '1' },
        secrets: ['CORPUS_SECRET'],
        outputs: ['size'],
        shell: 'bash',
        idempotent: true,
        timeoutMs: 60_000,
        tools: ['kubectl'],
        tags: ['a'],
      },
    ],
  },
  { name: 'retry-then-fail', until: isOver, steps: [{ action: bash('exit 3'), retries: 1, retryDelayMs: 200 }] },
  {
    name: 'retry-ahead',
    until: (run) => run.stepResults[0]?.error !== undefined,
    steps: [{ action: bash('exit 3'), retries: 2, retryDelayMs: DAY_MS }],
  },
  {
    name: 'retry-as-on-failure',
    until: isOver,
    steps: [{ action: bash('exit 3'), onFailure: { kind: 'retry', times: 1 } }],
  },
  { name: 'failed-and-parked', until: isPaused, steps: [{ action: bash('exit 3'), onFailure: { kind: 'pause' } }, {}] },
  {
    name: 'failed-and-passed-over',
    until: isOver,
    steps: [{ action: bash('exit 3'), onFailure: { kind: 'continue' } }, {}],
  },
  {
    name: 'step-timeout',
    until: isOver,
    steps: [{ action: bash('sleep 60'), timeoutMs: 300, onFailure: { kind: 'fail' } }],
  },
  {
    name: 'goto',
    until: isOver,
    steps: [
      { action: bash('echo x >> "$SOP_RUN_DIR/n"') },
      { action: bash('test "$(wc -l < "$SOP_RUN_DIR/n")" -ge 2'), onFailure: { kind: 'goto', step: 1 } },
    ],
  },
  { name: 'verified', until: isOver, steps: [{ verify: [command('true')] }] },
  {
    name: 'verify-failed',
    until: isPaused,
    steps: [{ verify: [command('false')], onFailure: { kind: 'pause' } }],
  },
  { name: 'condition-failed', until: isPaused, steps: [{ if: 'nothing_sets_this > 3' }] },
  { name: 'step-mode', until: isParked, steps: [{ mode: 'step_by_step' }] },
]
