import type { ArgumentSpec, CommandSpec, OptionSpec } from './command.ts'
import { PARAM_OPTIONS, RUN_ARGUMENT } from './commands-runs.ts'

const STEP_ARGUMENT: ArgumentSpec = { name: '[step]', summary: 'number of the step; 0 is the start' }
const STEP: OptionSpec = { flags: '-s, --step <number>', summary: 'the same as the argument STEP' }
const GATE: OptionSpec = { flags: '--gate <id>', summary: 'the gate by its id, e.g. start or 3-deploy' }
const ITEM: OptionSpec = {
  flags: '--item <number>',
  summary: 'only this item of a step that runs once for each, from 1',
}
const COMMENT: OptionSpec = { flags: '-c, --comment <text>', summary: 'goes on record' }
const REASON: OptionSpec = { flags: '-r, --reason <text>', summary: 'goes on record' }

/** Verbs that answer a run. */
export const DECISION_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'approve',
    summary: 'approve the open gate of a run',
    details: 'With several gates open, STEP or --gate says which. On a terminal it shows what is approved and asks.',
    args: [RUN_ARGUMENT, STEP_ARGUMENT],
    options: [STEP, GATE, COMMENT, { flags: '-y, --yes', summary: 'do not ask' }],
    examples: [
      'sop approve sop_run_01JAB',
      'sop approve sop_run_01JAB 3 --comment "Tests passed, proceeding"',
      'sop approve deploy-production --gate start --yes',
    ],
    load: async () => (await import('./verbs/approve.ts')).approve,
  },
  {
    name: 'reject',
    summary: 'reject the open gate of a run',
    details:
      "What follows is the gate's on_reject: the run pauses unless it says otherwise; at the start it is cancelled.",
    args: [RUN_ARGUMENT, STEP_ARGUMENT],
    options: [STEP, GATE, REASON, COMMENT],
    examples: ['sop reject sop_run_01JAB --reason "Test failures detected"', 'sop reject sop_run_01JAB 3'],
    load: async () => (await import('./verbs/reject.ts')).reject,
  },
  {
    name: 'complete',
    summary: 'end a manual step, or tick one item of its checklist',
    details: "On a terminal it asks for the fields of the step's form that are not given.",
    args: [RUN_ARGUMENT, STEP_ARGUMENT],
    options: [
      STEP,
      { flags: '--value <key=value>', summary: 'one field of the form; @FILE or - reads such lines', repeats: true },
      { flags: '--values <json>', summary: 'fields as a JSON object; @FILE reads a file, - standard input' },
      { flags: '--item <number>', summary: 'tick this item of the checklist instead of ending the step' },
      { flags: '--untick', summary: 'with --item: take the tick back' },
      { flags: '--failed', summary: 'report that the step failed' },
      COMMENT,
    ],
    examples: [
      'sop complete sop_run_01JAB 2 --value ticket=OPS-17 --comment "Done by hand"',
      'sop complete sop_run_01JAB --item 1',
      `sop complete sop_run_01JAB --values '{"ticket": "OPS-17"}'`,
    ],
    load: async () => (await import('./verbs/complete.ts')).complete,
  },
  {
    name: 'skip',
    summary: 'skip the step that a run waits at',
    args: [RUN_ARGUMENT, STEP_ARGUMENT],
    options: [STEP, ITEM, REASON, COMMENT],
    examples: [
      'sop skip sop_run_01JAB 4 --reason "Not needed on this host"',
      'sop skip sop_run_01JAB 4 --item 17 --reason "Host is gone"',
    ],
    load: async () => (await import('./verbs/skip.ts')).skip,
  },
  {
    name: 'resolve',
    summary: 'say of a step that is unknown whether it ran',
    details:
      'A step is unknown when its worker died while it was under way. Without an option it shows the step and asks, on a terminal.',
    args: [RUN_ARGUMENT, STEP_ARGUMENT],
    options: [
      STEP,
      { ...ITEM, summary: 'the item of a step that runs once for each; default: the only one that is unknown' },
      { flags: '--ran', summary: 'it ran: its verify commands still look whether that is true' },
      { flags: '--did-not-run', summary: 'it did not run: it is run now' },
      { flags: '--retry', summary: 'run it again, though it may have run' },
      { flags: '--failed', summary: 'with --ran: it ran and failed' },
      { flags: '--value <key=value>', summary: 'with --ran: an output that it handed on', repeats: true },
      {
        flags: '--values <json>',
        summary: 'with --ran: outputs as a JSON object; @FILE reads a file, - standard input',
      },
      COMMENT,
    ],
    examples: [
      'sop resolve sop_run_01JAB',
      'sop resolve sop_run_01JAB --ran --comment "The table is there"',
      'sop resolve sop_run_01JAB 3 --did-not-run',
    ],
    load: async () => (await import('./verbs/resolve.ts')).resolve,
  },
  {
    name: 'pause',
    summary: 'pause a run at the next boundary between two steps',
    details:
      'A step that is under way goes on to its end. Deadlines of open gates stand still until the run is resumed.',
    args: [RUN_ARGUMENT],
    options: [REASON, COMMENT],
    examples: ['sop pause sop_run_01JAB --reason "Waiting for the network team"'],
    load: async () => (await import('./verbs/control.ts')).pause,
  },
  {
    name: 'resume',
    summary: 'let a run go on that a person paused',
    args: [RUN_ARGUMENT],
    options: [COMMENT],
    examples: ['sop resume sop_run_01JAB'],
    load: async () => (await import('./verbs/control.ts')).resume,
  },
  {
    name: 'retry',
    summary: 'try again what failed or was rejected, or from an earlier step',
    details:
      'With STEP that step and all that depends on it are done again. Params that change are checked, and gates whose approval was about other params open again.',
    args: [
      RUN_ARGUMENT,
      { ...STEP_ARGUMENT, summary: 'number of the step to begin from; default: where the run stopped' },
    ],
    options: [STEP, ITEM, ...PARAM_OPTIONS, COMMENT],
    examples: [
      'sop retry sop_run_01JAB',
      'sop retry sop_run_01JAB --step 3 --comment "The disk has room again"',
      'sop retry deploy-production --param version=2.1.1',
    ],
    load: async () => (await import('./verbs/control.ts')).retry,
  },
  {
    name: 'cancel',
    summary: 'end a run at once; its running step is stopped',
    details:
      'With --rollback the finished steps are undone first, in reverse order. On a terminal it asks before that.',
    args: [RUN_ARGUMENT],
    options: [
      { flags: '--rollback', summary: 'undo what the run did before it ends' },
      REASON,
      COMMENT,
      { flags: '-y, --yes', summary: 'do not ask' },
    ],
    examples: ['sop cancel sop_run_01JAB --reason "Wrong version"', 'sop cancel sop_run_01JAB --rollback'],
    load: async () => (await import('./verbs/cancel.ts')).cancel,
  },
]
