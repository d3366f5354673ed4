import type { Step } from '../definition.ts'
import { checkForm } from '../params.ts'
import type { Decided } from './decide.ts'
import type { Decision } from './decision.ts'
import { doneDraft, isToVerify } from './done.ts'
import type { EventDraft } from './event.ts'
import { failure } from './failure.ts'
import type { ItemRun } from './items.ts'
import { idOf, noteOf, refuse, type Sender } from './refuse.ts'
import type { Run, StepRun } from './run.ts'

// it-ran.ts: what follows when a person says of a step or an item that it ran, though nobody saw its end.

/** What a person speaks of: an execution of a step, or one item of a `for_each` step. */
interface Spoken {
  readonly step: Step
  readonly state: StepRun | ItemRun
  readonly item?: number
  /** Since its start, in milliseconds. */
  readonly durationMs: number
}

/** "It ran", or with `failed` "it ran and failed". What the sender says it handed on becomes its outputs. */
export const itRanAs = (
  run: Run,
  { step, state, item, durationMs }: Spoken,
  decision: Decision,
  sender: Sender,
  at: string,
): Decided => {
  const note = noteOf(decision)
  const { attempt } = state
  const reply = { accepted: true, stepNumber: step.number, attempt }
  const ofItem = item === undefined ? {} : { item }
  if (decision.failed === true) {
    const error = note ?? `reported as failed by ${sender.principal.id}`
    const report = { outcome: 'failed' as const, error, durationMs, ...ofItem, ...sender }
    const drafts = [failure(run, step, state, report, at), ...goesOn(run, step, sender)]
    return { drafts, reply: { ...reply, action: 'failed' } }
  }
  const checked = checkForm(undefined, decision.values ?? {})
  if (!checked.ok) return refuse(decision, sender, { code: 'invalid', reason: checked.problems.join('; ') })
  const said = {
    title: step.title,
    attempt,
    ...ofItem,
    duration_ms: durationMs,
    ...(Object.keys(checked.values).length > 0 && { outputs: checked.values }),
    ...(note !== undefined && { comment: note }),
    ...idOf(decision),
  }
  return {
    drafts: [doneDraft(run, step, said, sender), ...goesOn(run, step, sender)],
    reply: { ...reply, action: isToVerify(run, step) ? 'checking' : 'completed' },
  }
}

/** The run stands still for what was unknown, one at a time; another unknown stops it again. */
const goesOn = (run: Run, step: Step, sender: Sender): readonly EventDraft[] =>
  run.paused?.kind === 'unknown' && run.paused.stepNumber === step.number
    ? [{ eventType: 'run_resumed', ...sender, details: {} }]
    : []
