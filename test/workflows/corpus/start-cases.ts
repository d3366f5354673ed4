import { EMPTY_ADMISSION } from '../../../src/core/admission.ts'
import { ADMISSION_ASK, ADMISSION_REQUEST, ADMISSION_WORKFLOW } from '../../../src/workflows/messages.ts'
import { bash, condition } from '../../support/definitions.ts'
import { beginHandedOver } from '../../support/handed-over.ts'
import { type Case, DAY_MS, isOver, isParked, seen } from './case.ts'

const ADMISSION_OF_CORPUS = 'sop_admission-corpus'

/** How runs begin: modes, params, conditions, admission. */
export const START_CASES: readonly Case[] = [
  {
    name: 'auto-two-steps',
    until: isOver,
    steps: [{ action: bash('echo "a=1" >> "$SOP_OUTPUT"') }, { action: bash('echo "$a"') }],
  },
  {
    name: 'supervised-approved',
    mode: 'supervised',
    until: isOver,
    steps: [{}],
    play: (engine, runId) => engine.client.approveStep(runId),
  },
  { name: 'parked-at-start', mode: 'supervised', approvalTimeoutMs: DAY_MS, until: isParked, steps: [{}] },
  {
    name: 'step-by-step-parked',
    mode: 'step_by_step',
    timezone: 'Europe/Berlin',
    until: (run) => run.openGates[0]?.stepNumber === 2,
    steps: [{}, {}],
    play: (engine, runId) => engine.client.approveStep(runId, 1),
  },
  { name: 'priority-based', mode: 'priority_based', priority: 'critical', until: isOver, steps: [{}] },
  {
    name: 'params',
    until: isParked,
    params: [
      { name: 'version', type: 'string', required: true, pattern: '[0-9.]+' },
      { name: 'count', type: 'number', default: 2 },
      { name: 'where', type: 'choice', choices: ['eu', 'us'], default: 'eu' },
      { name: 'password', type: 'string', secret: true },
    ],
    start: { params: { version: '1.2', password: 'hunter2-of-the-corpus' } },
    steps: [{ action: bash('echo "$version"') }, { requiresApproval: true }],
  },
  { name: 'facts', until: isOver, steps: [{ if: 'weekday || !weekday' }] },
  { name: 'refused', until: isOver, conditions: { requires: [condition('PROD_DOWN')] }, steps: [{}] },
  {
    name: 'precondition-holds',
    until: isOver,
    conditions: { expression: condition('trigger.type == "manual"') },
    steps: [{}],
  },
  { name: 'cooldown-admitted', until: isOver, cooldownMs: 1000, maxConcurrent: 1, steps: [{}] },
  {
    name: 'queued-for-a-slot',
    maxConcurrent: 1,
    until: (run) => run.status === 'pending' && run.reason !== undefined,
    before: (engine) => engine.client.createRun('queued-for-a-slot'),
    start: { wait: false },
    steps: [{ requiresApproval: true }],
  },
  {
    name: 'slot-released-at-gate',
    maxConcurrent: 1,
    releaseSlotAtGate: true,
    locks: ['corpus-lock'],
    until: isOver,
    steps: [{}, { requiresApproval: true }],
    play: async (engine, runId) => {
      await seen(engine, runId, 'slot_released')
      await engine.client.approveStep(runId)
    },
  },
  {
    name: 'away-from-its-slot',
    maxConcurrent: 1,
    releaseSlotAtGate: true,
    admission: 'coalesce',
    until: (run) => run.openGates.length > 0,
    steps: [{}, { requiresApproval: true, approvalTimeoutMs: DAY_MS }],
    play: (engine, runId) => seen(engine, runId, 'slot_released'),
  },
  {
    name: 'waits-for-a-lock',
    locks: ['held-lock', 'other-lock'],
    until: (run) => run.status === 'pending' && run.reason !== undefined,
    before: (engine) => engine.client.createRun('waits-for-a-lock'),
    start: { wait: false },
    steps: [{ requiresApproval: true }],
  },
  {
    name: 'admission-with-locks',
    of: 'admission',
    maxConcurrent: 1,
    locks: ['admission-lock'],
    admission: 'coalesce',
    until: (run) => run.status === 'pending' && run.reason !== undefined,
    before: async (engine) => {
      await engine.client.createRun('admission-with-locks')
      await engine.client.createRun('admission-with-locks', { wait: false })
    },
    start: { wait: false },
    steps: [{ requiresApproval: true }],
  },
  {
    name: 'in-a-blackout',
    blackout: ['2000-01-01..2199-12-31'],
    holidays: ['12-25'],
    until: isOver,
    steps: [{}],
  },
  {
    name: 'waits-for-the-end-of-a-blackout',
    blackout: ['2000-01-01..2199-12-31'],
    blackoutPolicy: 'wait',
    until: (run) => run.status === 'pending' && run.sequence >= 5,
    start: { wait: false },
    steps: [{}],
  },
  {
    name: 'outside-of-its-blackouts',
    blackout: ['2000-01-01..2000-01-02'],
    holidays: ['2000-12-25'],
    mode: 'supervised',
    until: isOver,
    steps: [{}],
    play: (engine, runId) => engine.client.approveStep(runId),
  },
  {
    name: 'admission-with-a-queue',
    of: 'admission',
    maxConcurrent: 1,
    until: (run) => run.status === 'pending' && run.reason !== undefined,
    before: (engine) => engine.client.createRun('admission-with-a-queue'),
    start: { wait: false },
    steps: [{ requiresApproval: true }],
  },
  {
    name: 'started-in-temporal',
    until: isParked,
    steps: [{}, { requiresApproval: true }],
    startIn: 'temporal',
  },
  {
    name: 'started-by-its-schedule',
    triggers: [{ type: 'cron', expression: '30 3 * * *' }],
    until: isParked,
    startIn: 'schedule',
    steps: [{}, { requiresApproval: true }],
  },
  {
    name: 'spoken-to-while-handed-over',
    until: isOver,
    startIn: 'hand-over',
    steps: [{ requiresApproval: true }],
    play: async (engine, runId) => {
      const handle = engine.temporal.workflow.getHandle(runId)
      await handle.signal('approve', { gate: 'nowhere' })
      await handle.signal('nonsense', {})
      await handle.signal('approve', { comment: 'in between' })
      await engine.startWorker()
    },
  },
  {
    name: 'admission-handed-over-and-asked',
    of: { admission: ADMISSION_OF_CORPUS },
    until: isOver,
    steps: [{}],
    play: async (engine) => {
      const since = '2026-01-01T00:00:00.000Z'
      const request = {
        runId: 'corpus-first',
        sop: 'asked',
        phase: 'slot',
        triggeredAt: since,
        priority: 3,
        cooldownMs: 0,
        maxConcurrent: 1,
        admission: 'queue',
        form: 2,
        turn: 1,
      } as const
      const holders = [{ runId: 'corpus-holder', sop: 'held', locks: ['corpus'], turn: 1, since }]
      const handle = await beginHandedOver(engine, {
        type: ADMISSION_WORKFLOW,
        workflowId: ADMISSION_OF_CORPUS,
        input: { ...EMPTY_ADMISSION, holders },
      })
      const first = handle.executeUpdate(ADMISSION_ASK, { args: [request] })
      await handle.signal(ADMISSION_REQUEST, { ...request, runId: 'corpus-second' })
      await engine.startWorker()
      await first
      await handle.executeUpdate(ADMISSION_ASK, { args: [{ ...request, runId: 'corpus-third', locks: ['corpus'] }] })
    },
  },
  { name: 'run-timeout', timeoutMs: 400, until: isOver, steps: [{ requiresApproval: true }] },
  { name: 'timeout-and-step', timeoutMs: DAY_MS, until: isOver, steps: [{}] },
  { name: 'run-timeout-ahead', timeoutMs: DAY_MS, until: isParked, steps: [{ requiresApproval: true }] },
]
