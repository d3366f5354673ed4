import type { ApprovalSettings, Command, Condition, OnTimeout, SopDefinition, SopGate, Step } from '../definition.ts'
import type { AfterRejection } from './event.ts'
import type { GateRun, Run } from './run.ts'

/** The gate that stands before the whole run, in supervised mode. */
export const START_GATE = 'start'

/** A gate as the definition and the mode of a run ask for it, before it is reached. */
export interface GateSpec {
  readonly id: string
  readonly stepNumber: number
  /** It stands behind its step, for signing off. */
  readonly isAfter?: true
  readonly title: string
  readonly type: 'approval' | 'verification'
  readonly because: string
  readonly required: boolean
  readonly settings: ApprovalSettings
  readonly if?: Condition
  readonly command?: Command
}

/** `3-deploy_to_production`: number and slug of the step that the gate stands before (rulings 14). */
export const stepGateId = (step: Step): string => `${step.number}-${step.slug}`

const APPROVAL_KEYS = [
  'approvalTimeoutMs',
  'onTimeout',
  'approvers',
  'quorum',
  'exclude',
  'onReject',
  'remindMs',
  'escalateTo',
] as const satisfies readonly (keyof ApprovalSettings)[]

const approvalOf = (from: ApprovalSettings): ApprovalSettings =>
  Object.fromEntries(APPROVAL_KEYS.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]))

const fromTable = (gate: SopGate, stepNumber: number): GateSpec => ({
  id: gate.key,
  stepNumber,
  title: gate.key,
  type: gate.type,
  because: 'gates',
  required: gate.required,
  settings: approvalOf(gate),
  ...(gate.position.at === 'after' && { isAfter: true as const }),
  ...(gate.if && { if: gate.if }),
  ...(gate.command && { command: gate.command }),
})

/**
 * The approval to begin; only in supervised mode (product.md 4). Whoever approved the start of a parent run was shown the
 * SOPs that it runs, so these do not ask again.
 */
export const startGate = (run: Run): GateSpec | undefined =>
  run.mode === 'supervised' && run.seed.parent?.isApproved !== true
    ? {
        id: START_GATE,
        stepNumber: 0,
        title: `Start ${run.seed.pinned.definition.title}`,
        type: 'approval',
        because: 'start',
        required: true,
        settings: { onReject: 'cancel' },
      }
    : undefined

/** Gates of the `[gates]` table before the first step or after the last, in file order. */
export const runGates = (definition: SopDefinition, at: 'start' | 'end'): readonly GateSpec[] =>
  (definition.gates ?? []).filter((gate) => gate.position.at === at).map((gate) => fromTable(gate, 0))

const tableGates = (definition: SopDefinition, at: 'before' | 'after', step: Step): readonly GateSpec[] =>
  (definition.gates ?? [])
    .filter((gate) => gate.position.at === at && gate.position.step === step.number)
    .map((gate) => fromTable(gate, step.number))

/** Why the step's own gate is there; `undefined` where it has none. An explicit "No" waives the mode's gate only (rulings 13). */
const ownGateReason = (run: Run, step: Step): string | undefined => {
  if (step.requiresApproval === true) return 'requires_approval'
  if (step.approveIf) return 'approve_if'
  const modeAsks = run.mode === 'step_by_step' || step.mode === 'step_by_step'
  return modeAsks && step.requiresApproval !== false ? 'mode' : undefined
}

/** The gates before a step, in order: those of the table, then the step's own. `approve_if` is its condition. */
export const gatesBefore = (run: Run, step: Step): readonly GateSpec[] => {
  const because = ownGateReason(run, step)
  const own: GateSpec | undefined =
    because === undefined
      ? undefined
      : {
          id: stepGateId(step),
          stepNumber: step.number,
          title: step.title,
          type: 'approval',
          because,
          required: true,
          settings: approvalOf(step),
          ...(because === 'approve_if' && step.approveIf && { if: step.approveIf }),
        }
  return [...tableGates(run.seed.pinned.definition, 'before', step), ...(own ? [own] : [])]
}

export const gatesAfter = (run: Run, step: Step): readonly GateSpec[] =>
  tableGates(run.seed.pinned.definition, 'after', step)

/** Milliseconds that a gate waits; `undefined` waits for ever (rulings 17). */
export const gateTimeoutMs = (run: Run, settings: ApprovalSettings): number | undefined => {
  const { definition, policy } = run.seed.pinned
  const set = [settings.approvalTimeoutMs, definition.approvalTimeoutMs, policy.approvalTimeoutMs].find(
    (value) => value !== undefined,
  )
  return set ?? undefined
}

/** What a timer does when a gate says nothing: it approves (product.md 4). */
export const timeoutAction = (settings: ApprovalSettings): OnTimeout => settings.onTimeout ?? 'approve'

/** What a rejection leads to. A gate that is not required never stops the run. */
export const afterRejection = (run: Run, gate: Pick<GateRun, 'required' | 'settings'>): AfterRejection => {
  if (!gate.required) return 'continue'
  const onReject = gate.settings.onReject ?? 'pause'
  return onReject === 'rollback' && run.seed.rulesVersion < 2 ? 'pause' : onReject
}

export const openGates = (run: Run): readonly GateRun[] =>
  Object.values(run.gates).filter((gate) => gate.state === 'open')

/** Whether a gate lets the run pass. */
export const isPassed = (gate: GateRun | undefined): boolean =>
  gate !== undefined &&
  (gate.state === 'passed' || gate.state === 'skipped' || (isStopped(gate) && gate.then === 'continue'))

export const isStopped = (gate: GateRun): boolean => gate.state === 'rejected' || gate.state === 'failed'

/** Why a gate stopped the run, as a sentence. */
export const stopReason = ({ id, state, decidedBy }: GateRun): string =>
  state === 'failed' ? `gate "${id}" failed its verification` : `gate "${id}" was rejected by ${decidedBy}`
