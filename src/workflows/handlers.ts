import {
  defineSignal,
  defineUpdate,
  setDefaultSignalHandler,
  setDefaultUpdateHandler,
  setHandler,
} from '@temporalio/workflow'
import { DECISION_KINDS, type DecisionKind, type DecisionReply } from '../core/run/decision.ts'
import type { Interpreter } from './interpreter.ts'
import { ADMISSION_VERDICT, auditQuery, CHILD_ENDED, statusQuery } from './messages.ts'

/** What people read beside the name in Temporal's UI. */
const DESCRIPTIONS: Readonly<Record<DecisionKind, string>> = {
  approve: 'Opens a gate. {} means the only open one; else {"gate":"3-deploy"} or {"step":3}; "comment" is optional.',
  reject: 'Rejects at a gate. {"gate":"3-deploy","reason":"why"}',
  complete:
    'Completes a manual step. {"step":2,"values":{"ticket":"OPS-1"}}; {"step":2,"item":1} ticks one item; "failed":true reports a failure. For a step that is unknown: it ran.',
  skip: 'Skips a step that waits, has failed or is unknown; in a walk back it leaves the step as it is. {"step":3,"reason":"why"}',
  cancel:
    'Ends the run and what it is running; with "rollback":true it undoes the finished steps first. {"reason":"why"}',
  pause: 'Pauses the run at the next boundary. {"reason":"why"}',
  resume: 'Goes on after a pause. {}',
  retry:
    'Tries the failed step, or the rejected gate, again. {}; {"step":2} goes back to that step; "params":{} changes params; "outcome":"did_not_run" for a step that is unknown.',
}

/**
 * Two doors to each decision, a signal and an update of the same name, and one reducer behind both. There are no
 * validators: a refusal is an answer of the reducer, so that it is on record (engine.md 1). Names that nobody knows
 * are answered too, since a signal without handler would be kept and delivered later.
 */
export const registerHandlers = (interpreter: Interpreter): void => {
  for (const kind of DECISION_KINDS) {
    const description = DESCRIPTIONS[kind]
    setHandler(defineSignal<unknown[]>(kind), (argument) => void interpreter.mail.receive(kind, argument, 'signal'), {
      description,
    })
    setHandler(
      defineUpdate<DecisionReply, unknown[]>(kind),
      (argument) => interpreter.mail.receiveUpdate(kind, argument),
      {
        description,
      },
    )
  }
  setHandler(defineSignal<unknown[]>(ADMISSION_VERDICT), (answer) => interpreter.receiveVerdict(answer), {
    description: 'Sent by the admission workflow',
  })
  setHandler(defineSignal<unknown[]>(CHILD_ENDED), (message) => interpreter.receiveChildEnd(message), {
    description: 'Sent by an SOP that runs as a step',
  })
  setDefaultSignalHandler((name) => void interpreter.mail.receiveUnknown(name, 'signal'))
  setDefaultUpdateHandler(async (name) => interpreter.mail.receiveUnknownUpdate(name))
  setHandler(statusQuery, () => interpreter.status(), { description: 'The run as everybody sees it' })
  setHandler(auditQuery, () => interpreter.auditTail(), { description: 'Events that the record has not confirmed yet' })
}
