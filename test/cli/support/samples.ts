import type { SopSummary } from '../../../src/client/client.ts'
import type { SopDefinition } from '../../../src/core/definition.ts'
import type { GateView, InputView, RunSummary, RunView, StepView } from '../../../src/core/run/view.ts'

export const RUN_ID = 'sop_run_01JABCDEF'

export const definition = (more: Partial<SopDefinition> = {}): SopDefinition => ({
  format: 1,
  name: 'deploy',
  title: 'Deploy',
  description: 'Deploy it',
  version: '1.0.0',
  priority: 'normal',
  mode: 'supervised',
  cooldownMs: 0,
  admission: 'queue',
  triggers: [{ type: 'manual' }],
  steps: [
    {
      number: 1,
      slug: 'build',
      title: 'Build',
      action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'make' }] },
    },
  ],
  dialect: 'A',
  ...more,
})

export const sop = (more: Partial<SopDefinition> = {}, summary: Partial<SopSummary> = {}): SopSummary => {
  const compiled = definition(more)
  return {
    name: compiled.name,
    path: `${compiled.name}/SOP.toml`,
    definition: compiled,
    digest: 'sha256:abc',
    diagnostics: [],
    startable: true,
    blockers: [],
    notices: [],
    ...summary,
  }
}

export const broken = (name: string, message: string): SopSummary => ({
  name,
  path: `${name}.md`,
  diagnostics: [{ code: 'no-steps', severity: 'error', message, place: { file: `${name}.md`, line: 3, column: 1 } }],
  startable: false,
  blockers: [message],
  notices: [],
})

export const step = (number: number, status: StepView['status'], more: Partial<StepView> = {}): StepView => ({
  number,
  slug: `step_${number}`,
  title: `Step ${number}`,
  kind: 'shell',
  status,
  attempt: status === 'pending' ? 0 : 1,
  ...more,
})

export const gate = (more: Partial<GateView> = {}): GateView => ({
  gate: '2-deploy',
  attempt: 1,
  stepNumber: 2,
  title: 'Deploy',
  because: 'requires_approval',
  openedAt: '2026-02-25T12:59:00.000Z',
  ...more,
})

export const input = (more: Partial<InputView> = {}): InputView => ({
  stepNumber: 2,
  title: 'Check the site',
  since: '2026-02-25T12:59:00.000Z',
  ...more,
})

export const run = (more: Partial<RunView> = {}): RunView => ({
  runId: RUN_ID,
  sopName: 'deploy',
  title: 'Deploy',
  version: '1.0.0',
  digest: 'sha256:abc',
  status: 'running',
  mode: 'supervised',
  priority: 'normal',
  currentStep: 1,
  totalSteps: 2,
  createdAt: '2026-02-25T12:57:00.000Z',
  startedAt: '2026-02-25T12:58:00.000Z',
  params: {},
  outputs: {},
  trigger: { type: 'manual' },
  startedBy: { id: 'alice', kind: 'user' },
  via: 'cli',
  openGates: [],
  openInputs: [],
  stepResults: [step(1, 'running'), step(2, 'pending')],
  sequence: 1,
  ...more,
})

export const completed = (more: Partial<RunView> = {}): RunView =>
  run({
    status: 'completed',
    currentStep: null,
    completedAt: '2026-02-25T12:59:00.000Z',
    stepResults: [step(1, 'success', { durationMs: 1_200 }), step(2, 'success', { durationMs: 800 })],
    sequence: 9,
    ...more,
  })

export const summary = (more: Partial<RunSummary> = {}): RunSummary => ({
  runId: RUN_ID,
  sopName: 'deploy',
  version: '1.0.0',
  status: 'running',
  priority: 'normal',
  mode: 'supervised',
  currentStep: 1,
  totalSteps: 2,
  createdAt: '2026-02-25T12:57:00.000Z',
  startedBy: 'alice',
  trigger: 'manual',
  openGates: [],
  sequence: 1,
  ...more,
})
