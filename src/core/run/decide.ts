import { reopen } from './decide-reopen.ts'
import { admissionAnswered } from './decide-admission.ts'
import { undoEnded } from './decide-rollback.ts'
import { gateCommandEnded, verifyEnded } from './decide-check.ts'
import { decideMessage } from './decide-message.ts'
import { poolNews } from './decide-pool.ts'
import type { DecisionReply } from './decision.ts'
import type { EventDraft } from './event.ts'
import { runningWorks } from './works.ts'
import { isAskedNow } from './frontier-blackout.ts'
import { hasBranches } from './graph.ts'
import { recordNews } from './record-hold.ts'
import type { RunInput } from './input.ts'
import { ENGINE } from './principal.ts'
import type { Run } from './run.ts'
import { timerFired } from './decide-timer.ts'
import { childEnded, actionEnded } from './decide-action.ts'

/** The events that an input leads to at once, and for a decision its answer. An input that is out of date leads to none. */
export interface Decided {
  readonly drafts: readonly EventDraft[]
  /** State and run id are filled in by `transition`. */
  readonly reply?: Omit<DecisionReply, 'runId' | 'status'>
}

const NOTHING: Decided = { drafts: [] }

/** Turns an input into events. Pure: `at` is the only clock. */
export const decide = (run: Run, input: RunInput, at: string): Decided => {
  switch (input.kind) {
    case 'create':
      return run.sequence > 0 ? NOTHING : { drafts: [created(run)] }
    case 'decision':
      return decideMessage(run, input.decision, at)
    case 'reopen':
      return reopen(run, input.decision)
    case 'unreadable':
      return unreadable(run, input)
    case 'timer':
      return { drafts: timerFired(run, input.timerId, at) }
    case 'command_result':
      return { drafts: commandEnded(run, input, at) }
    case 'pool_news':
      return { drafts: poolNews(run, input, at) }
    case 'record_news':
      return { drafts: recordNews(run, input, at) }
    case 'child_ended':
      return { drafts: childEnded(run, input, at) }
    case 'facts_result':
      return { drafts: factsArrived(run, input) }
    case 'admission':
      return { drafts: admissionAnswered(run, input) }
  }
}

/** The rules from which on the record says that a start was forced. */
const FORCE_ON_RECORD = 5

const created = ({ seed, mode }: Run): EventDraft => {
  const { definition, digest, policy, warnings } = seed.pinned
  return {
    eventType: 'run_created',
    principal: seed.startedBy,
    via: seed.via,
    details: {
      sop: definition.name,
      version: definition.version,
      digest,
      mode: seed.mode ?? definition.mode ?? policy.defaultMode,
      effectiveMode: mode,
      priority: definition.priority,
      params: seed.params,
      trigger: seed.trigger,
      totalSteps: definition.steps.length,
      ...(warnings && warnings.length > 0 && { warnings }),
      ...(hasBranches(definition) && { parallel: true }),
      ...(seed.parent && { parent: seed.parent }),
      ...(seed.force === true && seed.rulesVersion >= FORCE_ON_RECORD && { forced: true }),
    },
  }
}

const unreadable = (run: Run, { name, reason, via }: Extract<RunInput, { kind: 'unreadable' }>): Decided => ({
  drafts:
    run.outcome !== undefined
      ? []
      : [
          {
            eventType: 'decision_refused',
            principal: { id: 'temporal', kind: 'user', verified: false },
            via,
            details: { decision: 'message', reason: `Cannot read message "${name}": ${reason}` },
          },
        ],
  reply: { accepted: false, code: 'invalid', reason: `Cannot read message "${name}": ${reason}` },
})

type CommandEnded = Extract<RunInput, { kind: 'command_result' }>

const commandEnded = (run: Run, { workId, result }: CommandEnded, at: string): readonly EventDraft[] => {
  const work = runningWorks(run).find((each) => each.id === workId)
  switch (work?.kind) {
    case 'action':
      return actionEnded(run, work, result, at)
    case 'verify':
      return verifyEnded(run, work, result, at)
    case 'gate_command':
      return gateCommandEnded(run, work.gate, result)
    case 'rollback':
      return undoEnded(run, work, result)
    default:
      return []
  }
}

const factsArrived = (
  run: Run,
  { workId, result }: Extract<RunInput, { kind: 'facts_result' }>,
): readonly EventDraft[] => {
  const question = workId.slice('facts:'.length)
  if (run.outcome !== undefined || run.facts[question] !== undefined || !isAskedNow(run, question)) return []
  return [
    {
      eventType: 'facts_resolved',
      principal: ENGINE,
      via: 'engine',
      details: { question, values: result.values, ...(result.errors && { errors: result.errors }) },
    },
  ]
}
