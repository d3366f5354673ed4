import type { EffectiveMode, Json, Param, Priority } from '../definition.ts'
import type { Principal, Surface, TriggerInfo } from './principal.ts'
import type { RunState, StepState } from './state.ts'

/** An open gate, as everybody sees it. */
export interface GateView {
  readonly gate: string
  readonly attempt: number
  readonly stepNumber: number
  readonly title: string
  readonly because: string
  readonly openedAt: string
  readonly deadlineAt?: string
  readonly onTimeout?: string
  readonly approvers?: readonly string[]
  /** Digest of what the approval covers. */
  readonly covers?: string
  /** The commands that pass through this gate, for reading. */
  readonly commands?: readonly string[]
}

/** A manual step that waits for a person or an agent. */
export interface InputView {
  readonly stepNumber: number
  readonly title: string
  readonly body?: string
  readonly since: string
  readonly assignee?: string
  readonly dueAt?: string
  readonly overdue?: true
  readonly checklist?: readonly { readonly item: number; readonly text: string; readonly ticked: boolean }[]
  readonly form?: readonly Param[]
}

export interface StepView {
  readonly number: number
  readonly slug: string
  readonly title: string
  readonly kind: string
  readonly status: StepState
  readonly attempt: number
  readonly startedAt?: string
  readonly completedAt?: string
  readonly durationMs?: number
  readonly exitCode?: number
  readonly output?: string
  readonly outputs?: Readonly<Record<string, Json>>
  readonly error?: string
  readonly reason?: string
}

/** What queries, API, CLI, MCP and page show of a run. */
export interface RunView {
  readonly runId: string
  readonly sopName: string
  readonly title: string
  readonly version: string
  readonly digest: string
  readonly status: RunState
  readonly mode: EffectiveMode
  readonly priority: Priority
  /** Number of the step that the run stands at; `null` before the first and after the last. */
  readonly currentStep: number | null
  readonly totalSteps: number
  readonly createdAt: string
  readonly startedAt?: string
  readonly completedAt?: string
  /** Why the run is paused, failed, cancelled or queued. */
  readonly reason?: string
  readonly params: Readonly<Record<string, Json>>
  readonly outputs: Readonly<Record<string, Json>>
  readonly trigger: TriggerInfo
  readonly startedBy: Principal
  readonly via: Surface
  readonly openGates: readonly GateView[]
  readonly openInputs: readonly InputView[]
  readonly stepResults: readonly StepView[]
  readonly warnings?: readonly string[]
  /** Sequence of the last event that this view knows of. */
  readonly sequence: number
  /** The view comes from the record because no worker answered; the run may be further on. */
  readonly stale?: true
}

/** A line of a list of runs. */
export interface RunSummary {
  readonly runId: string
  readonly sopName: string
  readonly version: string
  readonly status: RunState
  readonly priority: Priority
  readonly mode: EffectiveMode
  readonly currentStep: number | null
  readonly totalSteps: number
  readonly createdAt: string
  readonly startedAt?: string
  readonly completedAt?: string
  readonly reason?: string
  readonly startedBy: string
  readonly trigger: string
  /** Ids of the open gates. */
  readonly openGates: readonly string[]
  readonly sequence: number
}

