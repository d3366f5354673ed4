import type { AuditCheck, RunCheck } from '../../src/core/verify/finding.ts'
import type {
  AuditLog,
  DecisionRequest,
  Health,
  LogChunk,
  RunPlan,
  SopClient,
  SopSummary,
  SopVersion,
  SopVersionDetail,
} from '../../src/client/client.ts'
import type { DeliveryView, TriggerView } from '../../src/client/trigger-client.ts'
import type { Accepted } from '../../src/core/trigger/accepted.ts'
import type { Queue } from '../../src/client/queue-client.ts'
import type { DueFire, ScheduleView } from '../../src/client/schedule-client.ts'
import { type MetricDays, metricsReport, type MetricsReport } from '../../src/core/metrics/report.ts'
import { runScreenSamples } from './run-screen-samples.ts'
import type { SopDefinition } from '../../src/core/definition.ts'
import type { DecisionReply } from '../../src/core/run/decision.ts'
import type { WaitingList } from '../../src/core/run/waiting.ts'
import type { RunSummary, RunView } from '../../src/core/run/view.ts'

const at = { sop: 'deploy-production', trigger: 1, type: 'webhook', awaits: '/webhook/deploy' } as const
export const triggerSample: TriggerView = { ...at, served: true }
export const deliverySample: DeliveryView = {
  id: 'del_01kag3qvz5c1t7m0w2e9n4y8xa',
  at: '2026-02-25T16:00:00.000Z',
  source: 'webhook',
  subject: '/webhook/deploy',
  action: 'POST',
  sop: 'deploy-production',
  trigger: 1,
  verdict: 'started',
  runId: 'sop_run_abc123',
  principal: 'webhook:/webhook/deploy',
  payload: { severity: 'high' },
  runState: 'running',
}
export const acceptedSample: Accepted = {
  runId: 'sop_run_abc123',
  status: 'started',
  runs: [{ sop: 'deploy-production', runId: 'sop_run_abc123', duplicate: false }],
  others: [],
  deliveryIds: [deliverySample.id],
}

export const waitingSample: WaitingList = {
  items: [
    {
      key: 'sop_run_abc123/gate/5-deploy#1',
      kind: 'gate',
      runId: 'sop_run_abc123',
      sopName: 'deploy-production',
      sopTitle: 'Deploy to production',
      version: '1.0.0',
      priority: 'critical',
      startedBy: 'alice',
      trigger: 'manual',
      stepNumber: 5,
      totalSteps: 6,
      title: 'Deploy',
      since: '2026-02-25T16:00:00.000Z',
      until: '2026-02-25T17:00:00.000Z',
      then: 'Without an answer the timer approves it then.',
      why: 'It waits for approval, because the step requires approval.',
      params: { version: '2.0.1' },
      covered: [{ number: 5, title: 'Deploy', kind: 'shell', commands: ['./deploy.sh'], pointOfNoReturn: true }],
      secondLook: ['Step 5 is a point of no return: nothing before it can be rolled back afterwards.'],
      actions: [
        {
          name: 'approve',
          verb: 'approve',
          about: 'gate',
          label: 'Approve',
          body: { gate: '5-deploy', step: 5, attempt: 1, covers: 'abc' },
          allowed: true,
        },
      ],
      mine: true,
    },
  ],
  total: 1,
  mine: 1,
}

/** A SopClient with one field per method: set what a test needs, read what was asked in `calls`. */
export type FakeClient = { -readonly [K in keyof SopClient]: SopClient[K] } & { readonly calls: FakeCall[] }
export interface FakeCall {
  readonly method: keyof SopClient
  readonly args: readonly unknown[]
}

/** Answers everything with the samples below; every call is noted. */
export function fakeClient(overrides: Partial<SopClient> = {}): FakeClient {
  const calls: FakeCall[] = []
  const methods: SopClient = {
    listSops: async () => [sopSample],
    getSop: async () => ({ ...sopSample, source: { 'SOP.md': '# Deploy\n' } }),
    listSopVersions: async () => [versionSample],
    getSopVersion: async () => versionDetailSample,
    createSop: async ({ name }) => ({ name, files: [`${name}/SOP.toml`, `${name}/SOP.md`] }),
    planRun: async () => planSample,
    createRun: async () => runSample,
    listRuns: async () => [summarySample],
    listRunPage: async () => ({ runs: [summarySample], next: 'c', total: 10_000, more: true }),
    listWaiting: async () => waitingSample,
    getRunStatus: async () => runSample,
    approveStep: async (_ref, step, request) => accepted(step, request),
    rejectStep: async (_ref, step, request) => ({ ...accepted(step, request), status: 'paused', action: 'paused' }),
    completeStep: async (_ref, step, request) => accepted(step, request),
    skipStep: async (_ref, step, request) => accepted(step, request),
    cancelRun: async () => ({ accepted: true, runId: runSample.runId, status: 'cancelled' }),
    pauseRun: async () => ({ accepted: true, runId: runSample.runId, status: 'paused', action: 'paused' }),
    resumeRun: async () => ({ accepted: true, runId: runSample.runId, status: 'running', action: 'resumed' }),
    retryRun: async () => ({ accepted: true, runId: runSample.runId, status: 'running', action: 'retried' }),
    getAuditLog: async () => auditSample,
    readLog: async () => logSample,
    ...runScreenSamples,
    followLog: async function* () {
      yield logSample
    },
    followRun: async function* () {
      yield* auditSample.events
    },
    followRuns: async function* () {
      yield { runs: [], cursor: 'c0' }
      yield { runs: [summarySample], cursor: 'c1' }
    },
    listTriggers: async () => [{ ...triggerSample, last: deliverySample }],
    sendEvent: async () => acceptedSample,
    sendMessage: async () => acceptedSample,
    testTrigger: async () => [{ ...at, verdict: 'would_start', params: { severity: 'high' } }],
    listDeliveries: async () => [deliverySample],
    getDelivery: async () => deliverySample,
    verifyRun: async () => runCheckSample,
    verifyAudit: async function* () {
      yield { kind: 'progress', checked: 0, total: 1 }
      yield { kind: 'run', run: runCheckSample }
      yield { kind: 'done', audit: auditCheckSample }
    },
    exportRun: async function* () {
      yield* ['{"type":"export"}\n', '{"type":"end"}\n']
    },
    getQueue: async () => queueSample,
    moveInQueue: async () => ({ runId: runSample.runId, action: 'move', position: 1 }),
    dropFromQueue: async () => ({ runId: runSample.runId, action: 'drop' }),
    admitFromQueue: async () => ({ runId: runSample.runId, action: 'admit' }),
    redeliver: async () => ({
      ...acceptedSample,
      status: 'duplicate',
      runs: [{ ...acceptedSample.runs[0], duplicate: true }] as never,
    }),
    listSchedules: async () => [scheduleSample],
    listUpcoming: async () => [fireSample],
    pauseSchedule: async () => ({
      ...scheduleSample,
      state: 'paused',
      pausedBy: 'alice via http',
      pauseReason: 'holiday',
    }),
    resumeSchedule: async () => scheduleSample,
    triggerSchedule: async () => ({ schedule: scheduleSample.id, runId: runSample.runId }),
    backfillSchedule: async () => ({ schedule: scheduleSample.id, fires: ['2026-11-20T01:30:00.000Z'] }),
    getMetrics: async ({ sop, days } = {}) => metricsSample(sop, days),
    health: async () => healthSample,
    ...overrides,
  }
  const fake = { calls } as unknown as Record<string, unknown>
  for (const [method, answer] of Object.entries(methods) as [keyof SopClient, (...args: unknown[]) => unknown][]) {
    fake[method] = (...args: unknown[]) => {
      calls.push({ method, args })
      return answer(...args)
    }
  }
  return fake as unknown as FakeClient
}

const accepted = (step: number | undefined, request?: DecisionRequest): DecisionReply => ({
  accepted: true,
  runId: runSample.runId,
  status: 'running',
  gate: request?.gate ?? '2-back_up',
  stepNumber: step ?? 2,
  attempt: 1,
})

/** Two decisions and a step of an SOP, on the last day. */
export const metricsSample = (sop = 'deploy-production', days: MetricDays = 30): MetricsReport => {
  const sketch = { count: 2, sumMs: 9000, buckets: { 170: 2 } }
  const tally = {
    counts: { created: 2, started: 2, completed: 1, failed: 1, gate_granted: 2, 'approved:user:alice': 2 },
    times: { approval_wait: sketch, 'by:user:alice': sketch, 'for:group:dba': sketch, 'elapsed:completed': sketch },
  }
  const day = '2026-03-01'
  return metricsReport(
    [
      { day, sop, sign: 1, tally },
      { day, sop, step: 2, sign: 1, tally: { ...tally, title: 'Deploy' } },
    ],
    { sop, days, nowMs: Date.parse(day) },
  )
}

export const runCheckSample: RunCheck = {
  runId: 'sop_run_abc123',
  sop: 'deploy-production',
  ok: false,
  events: 8,
  sealedTo: 8,
  history: 'compared',
  logs: 1,
  findings: [
    {
      severity: 'problem',
      kind: 'edited',
      message: 'event 4 (approval_granted) was changed: its hash does not fit its content',
      runId: 'sop_run_abc123',
      sequence: 4,
      file: 'audit/deploy-production/sop_run_abc123.jsonl',
      line: 4,
    },
    { severity: 'notice', kind: 'late_head', message: 'head 2 vouches for event 8 after the fact' },
  ],
}
export const auditCheckSample: AuditCheck = {
  ok: false,
  runs: 1,
  events: 8,
  heads: { entries: 2, end: { index: 2, hash: 'a'.repeat(64) }, key: 'KEY' },
  history: { compared: 1, gone: 0, unavailable: 0 },
  problems: 1,
  notices: { late_head: 1 },
  findings: [],
}

export const queueSample: Queue = {
  waiting: [
    {
      position: 1,
      runId: 'sop_run_b',
      sop: 'deploy-production',
      priority: 2,
      since: '2026-03-01T08:00:00.000Z',
      waitsFor: [
        { kind: 'lock', text: 'run "sop_run_a" holds lock "cluster-x"', by: ['sop_run_a'], lock: 'cluster-x' },
      ],
    },
  ],
  holders: [{ runId: 'sop_run_a', sop: 'patch', locks: ['cluster-x'], slot: true }],
}

export const definitionSample: SopDefinition = {
  format: 1,
  name: 'deploy-production',
  title: 'Deploy to Production',
  description: 'Deploys the application',
  version: '1.0.0',
  priority: 'high',
  mode: 'step_by_step',
  cooldownMs: 0,
  admission: 'queue',
  triggers: [{ type: 'manual' }],
  steps: [
    {
      number: 1,
      slug: 'run_tests',
      title: 'Run Tests',
      action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'npm test' }] },
    },
    { number: 2, slug: 'back_up', title: 'Back up', action: { kind: 'manual' } },
  ],
  dialect: 'B',
}

export const sopSample: SopSummary = {
  name: 'deploy-production',
  path: 'deploy-production/SOP.md',
  definition: definitionSample,
  digest: 'ab'.repeat(32),
  diagnostics: [
    {
      code: 'unknown-key',
      severity: 'warning',
      message: 'Unknown key "prority"',
      place: { file: 'SOP.md', line: 3, column: 1, length: 7 },
      sourceLine: 'prority: high',
      help: 'Did you mean "priority"?',
    },
  ],
  startable: true,
  blockers: [],
  notices: ['The trigger "peripheral" is not served'],
}

export const versionSample: SopVersion = {
  digest: 'ab'.repeat(32),
  version: '1.0.0',
  current: true,
  runs: 3,
  firstAt: '2026-02-01T09:00:00.000Z',
  lastAt: '2026-02-25T16:00:00.000Z',
}
export const versionDetailSample: SopVersionDetail = {
  ...versionSample,
  sop: 'deploy-production',
  definition: definitionSample,
  source: { 'SOP.md': '# Deploy\n' },
}

export const scheduleSample: ScheduleView = {
  id: 'sop_schedule_deploy-production_1',
  sop: 'deploy-production',
  expression: '30 2 * * *',
  timezone: 'Europe/Berlin',
  state: 'active',
  overlap: 'allow_all',
  catchUpMs: 86_400_000,
  jitterMs: 0,
  params: { region: 'eu' },
  next: ['2026-11-22T01:30:00.000Z', '2026-11-23T01:30:00.000Z'],
  recent: [
    {
      scheduledAt: '2026-11-21T01:30:00.000Z',
      runId: 'sop_run_deploy-production_1-2026-11-21T01:30:00Z',
      status: 'completed',
    },
  ],
}

export const fireSample: DueFire = {
  at: '2026-11-22T01:30:00.000Z',
  schedule: 'sop_schedule_deploy-production_1',
  sop: 'deploy-production',
  params: { region: 'eu' },
  blocked: 'the schedule is paused by alice via cli: holiday',
}

export const planSample: RunPlan = {
  sop: 'deploy-production',
  digest: 'ab'.repeat(32),
  mode: 'step_by_step',
  params: { version: '2.1.0' },
  wouldStart: true,
  problems: [],
  errors: [{ path: 'params.version', message: 'it must be a text' }],
  warnings: ['nothing sets "tests_pass"'],
  items: [
    {
      kind: 'step',
      id: '1',
      title: 'Run Tests',
      stepNumber: 1,
      action: 'shell',
      runs: 'unknown',
      condition: 'tests_pass',
      note: 'depends on step 1',
      approvers: ['group:dba'],
      timeout: '5m',
      commands: ['npm test'],
    },
  ],
}

/** Has every key that a run can have, so that a schema that forgets one is found. */
export const runSample: RunView = {
  runId: 'sop_run_abc123',
  sopName: 'deploy-production',
  title: 'Deploy to Production',
  version: '1.0.0',
  digest: 'ab'.repeat(32),
  status: 'awaiting_approval',
  mode: 'step_by_step',
  priority: 'high',
  currentStep: 2,
  totalSteps: 2,
  createdAt: '2026-02-25T16:00:00.000Z',
  startedAt: '2026-02-25T16:00:01.000Z',
  completedAt: '2026-02-25T16:30:00.000Z',
  reason: 'waits for approval',
  paused: { kind: 'failed', since: '2026-02-25T16:02:00.000Z', by: 'engine', stepNumber: 2, gate: '2-back_up' },
  pauseRequestedBy: 'olga',
  held: { since: '2026-02-25T16:05:00.000Z', storeDownSince: '2026-02-25T16:04:00.000Z', unrecorded: 500 },
  rollback: { because: 'failure', then: 'failed', by: 'engine', left: [2, 1], failed: 'exit code 1' },
  params: { version: '2.1.0', nested: { list: [1, null, true] } },
  outputs: { build: 7 },
  trigger: {
    type: 'manual',
    path: '/x',
    event: 'deploy',
    scheduledAt: '2026-02-25T16:00:00.000Z',
    headers: { a: 'b' },
    payload: { deep: [{}] },
  },
  startedBy: { id: 'olga', kind: 'user', groups: ['dba'], role: 'operator', verified: false },
  via: 'http',
  openGates: [
    {
      gate: '2-back_up',
      attempt: 1,
      stepNumber: 2,
      title: 'Back up',
      because: 'mode',
      openedAt: '2026-02-25T16:01:00.000Z',
      deadlineAt: '2026-02-25T16:11:00.000Z',
      onTimeout: 'approve',
      approvers: ['alice', 'group:dba'],
      covers: 'cd'.repeat(32),
      commands: ['pg_dump'],
    },
  ],
  openInputs: [
    {
      stepNumber: 2,
      title: 'Back up',
      body: 'Do it',
      since: '2026-02-25T16:01:00.000Z',
      assignee: 'vera',
      dueAt: '2026-02-25T17:00:00.000Z',
      overdue: true,
      checklist: [{ item: 1, text: 'Check the disk', ticked: true }],
      form: [
        {
          name: 'size',
          type: 'choice',
          description: 'How large',
          required: true,
          default: 's',
          choices: ['s', 'l'],
          pattern: '.',
          secret: false,
        },
      ],
    },
  ],
  stepResults: [
    {
      number: 1,
      slug: 'run_tests',
      title: 'Run Tests',
      kind: 'shell',
      status: 'success',
      attempt: 1,
      startedAt: '2026-02-25T16:00:01.000Z',
      completedAt: '2026-02-25T16:00:46.000Z',
      durationMs: 45000,
      exitCode: 0,
      output: 'All tests passed',
      outputs: { tests_pass: true },
      error: 'none',
      reason: 'none',
    },
  ],
  warnings: ['nothing sets "tests_pass"'],
  sequence: 9,
  stale: true,
}

export const summarySample: RunSummary = {
  runId: 'sop_run_abc123',
  sopName: 'deploy-production',
  version: '1.0.0',
  digest: 'd'.repeat(64),
  status: 'awaiting_approval',
  priority: 'high',
  mode: 'step_by_step',
  currentStep: 2,
  totalSteps: 2,
  createdAt: '2026-02-25T16:00:00.000Z',
  startedAt: '2026-02-25T16:00:01.000Z',
  completedAt: '2026-02-25T16:30:00.000Z',
  reason: 'waits for approval',
  startedBy: 'olga',
  trigger: 'manual',
  openGates: ['2-back_up'],
  sequence: 9,
}

export const auditSample: AuditLog = {
  runId: 'sop_run_abc123',
  events: [
    {
      sequence: 1,
      timestamp: '2026-02-25T16:30:00.000Z',
      eventType: 'step_completed',
      runId: 'sop_run_abc123',
      stepNumber: 1,
      principal: { id: 'engine', kind: 'service' },
      via: 'engine',
      details: { title: 'Run Tests', attempt: 1, duration: '45s', duration_ms: 45000, output: 'ok' },
      previousHash: '00'.repeat(32),
      hash: '11'.repeat(32),
    },
  ],
  sentences: ['Step 1 "Run Tests" succeeded after 45s.'],
}

export const logSample: LogChunk = {
  runId: 'sop_run_abc123',
  stepNumber: 1,
  attempt: 1,
  source: 'step',
  offset: 0,
  next: 17,
  text: 'All tests passed\n',
  complete: true,
}

export const healthSample: Health = {
  status: 'degraded',
  version: '0.1.0',
  checks: {
    temporal: { ok: true, detail: '127.0.0.1:7233' },
    worker: { ok: true },
    disk: {
      ok: false,
      detail: 'the disk of the data directory has 200 MiB left',
      since: '2026-02-25T16:00:00.000Z',
      help: 'Make room',
      figures: { freeBytes: 209_715_200 },
    },
  },
}

/** The refusal that a second decision about a gate gets. */
export const refusedSample: DecisionReply = {
  accepted: false,
  runId: 'sop_run_abc123',
  status: 'running',
  gate: '2-back_up',
  stepNumber: 2,
  attempt: 1,
  reason: 'Cannot approve gate "2-back_up": alice approved it already',
  code: 'conflict',
  decidedBy: 'alice',
}
