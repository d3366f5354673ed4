import { bash, command, condition } from '../../support/definitions.ts'
import { type Case, DAY_MS, isOver, isParked, isPaused, seen } from './case.ts'

const table = (key: string, position: NonNullable<Case['gates']>[number]['position'], more: object = {}) => ({
  key,
  type: 'approval' as const,
  position,
  required: true,
  ...more,
})

/** Runs parked at, or past, every kind of gate. */
export const GATE_CASES: readonly Case[] = [
  { name: 'parked-at-step-gate', until: isParked, steps: [{}, { requiresApproval: true, approvers: ['carol'] }] },
  { name: 'parked-at-table-gate', until: isParked, gates: [table('post_look', { at: 'end' })], steps: [{}] },
  { name: 'parked-at-pre-gate', until: isParked, gates: [table('pre_look', { at: 'start' })], steps: [{}] },
  {
    name: 'parked-before-step',
    until: isParked,
    gates: [table('look', { at: 'before', step: 2 }, { approvalTimeoutMs: DAY_MS, exclude: ['starter'] })],
    steps: [{}, {}],
  },
  {
    name: 'parked-after-step',
    until: isParked,
    gates: [table('sign', { at: 'after', step: 1 }, { quorum: 1, approvers: ['group:dba'] })],
    steps: [{}, {}],
  },
  {
    name: 'gate-with-condition',
    until: isOver,
    gates: [table('never', { at: 'start' }, { if: condition('trigger.type == "cron"') })],
    steps: [{}],
  },
  {
    name: 'approve-if',
    until: isParked,
    steps: [
      { action: bash('echo "risk=9" >> "$SOP_OUTPUT"') },
      { approveIf: 'risk > 5', quorum: 1, exclude: ['starter'] },
    ],
  },
  { name: 'timer-approved', until: isOver, steps: [{ requiresApproval: true, approvalTimeoutMs: 500 }] },
  {
    name: 'timer-rejected',
    until: isPaused,
    steps: [{ requiresApproval: true, approvalTimeoutMs: 300, onTimeout: 'reject' }],
  },
  {
    name: 'timer-failed',
    until: isOver,
    gates: [table('look', { at: 'start' }, { approvalTimeoutMs: 300, onTimeout: 'fail' })],
    steps: [{}],
  },
  {
    name: 'gate-reminded',
    until: (run) => (run.openGates[0]?.reminders ?? 0) >= 2,
    steps: [{ requiresApproval: true, remindMs: 200, approvalTimeoutMs: DAY_MS }],
  },
  {
    name: 'table-gate-reminded',
    until: (run) => (run.openGates[0]?.reminders ?? 0) >= 1,
    gates: [table('pre_look', { at: 'start' }, { remindMs: 200 })],
    steps: [{}],
  },
  {
    name: 'timer-escalated',
    until: (run) => run.sequence >= 4 && run.openGates.length > 0,
    steps: [{ requiresApproval: true, approvalTimeoutMs: 300, onTimeout: 'escalate' }],
    play: (engine, runId) => seen(engine, runId, 'approval_escalated'),
  },
  {
    name: 'rejected-and-parked',
    until: isPaused,
    steps: [{ requiresApproval: true }],
    play: (engine, runId) => engine.client.rejectStep(runId, 1, { reason: 'no' }),
  },
  {
    name: 'rejected-and-failed',
    until: isOver,
    steps: [{ requiresApproval: true, onReject: 'fail' }],
    play: (engine, runId) => engine.client.rejectStep(runId, 1, { reason: 'no' }),
  },
  {
    name: 'rejected-and-passed-over',
    until: isOver,
    gates: [table('look', { at: 'start' }, { required: false, onReject: 'cancel' })],
    steps: [{}],
    play: (engine, runId) => engine.client.rejectStep(runId, undefined, { gate: 'look', reason: 'no' }),
  },
  {
    name: 'reopened-and-parked',
    until: (run) => run.openGates[0]?.attempt === 2,
    steps: [{ requiresApproval: true }],
    play: async (engine, runId) => {
      await engine.client.rejectStep(runId, 1, { reason: 'no' })
      await engine.client.retryRun(runId)
    },
  },
  {
    name: 'refused-decisions',
    until: isParked,
    steps: [{ requiresApproval: true, approvers: ['carol'] }],
    play: async (engine, runId) => {
      const handle = engine.temporal.workflow.getHandle(runId)
      await engine.client.approveStep(runId, 1, { attempt: 7 })
      await handle.signal('approve', { gate: '1-step-1' })
      await handle.signal('approve')
      await handle.signal('no_such_message', {})
      await seen(engine, runId, 'decision_refused', 4)
    },
  },
  {
    name: 'implied-approval',
    until: isOver,
    steps: [{ requiresApproval: true }],
    play: (engine, runId) => engine.temporal.workflow.getHandle(runId).signal('approve', {}),
  },
  {
    name: 'verification-gate',
    until: isOver,
    gates: [
      { key: 'post_check', type: 'verification', position: { at: 'end' }, required: true, command: command('true') },
    ],
    steps: [{}],
  },
  {
    name: 'verification-gate-failed',
    until: isPaused,
    gates: [
      { key: 'pre_check', type: 'verification', position: { at: 'start' }, required: true, command: command('false') },
    ],
    mode: 'supervised',
    start: { skipApproval: true },
    steps: [{}],
  },
]
