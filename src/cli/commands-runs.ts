import { EXECUTION_MODES, PRIORITIES, TRIGGER_TYPES } from '../core/definition.ts'
import { RUN_STATES } from '../core/run/state.ts'
import type { ArgumentSpec, CommandSpec, OptionSpec } from './command.ts'

/** A run is named by its id, or by its SOP where that has only one open run. */
export const RUN_ARGUMENT: ArgumentSpec = {
  name: '<run>',
  summary: 'run id, or the SOP that it is a run of',
  completes: 'run',
}

const WAIT_TIMEOUT: OptionSpec = {
  flags: '--timeout <duration>',
  summary: 'stop waiting after this time, e.g. 90s or 10m; the run goes on',
}

/** Options that hand values to a run, on every command that starts one. */
export const PARAM_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--param <key=value>',
    summary: 'one param; @FILE or - reads such lines; wins over --vars and --payload',
    repeats: true,
  },
  { flags: '--vars <json>', summary: 'params as a JSON object; @FILE reads a file, - standard input' },
  { flags: '--payload <json>', summary: 'the same as --vars' },
]

/** Verbs that start runs and read them. */
export const RUN_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'run',
    summary: 'start a run of an SOP',
    details:
      'Answers when the first gate is open or the first step has started. The first line of its answer is "Run ID: ...".',
    args: [{ name: '<sop>', summary: 'name of the SOP', completes: 'sop' }],
    options: [
      ...PARAM_OPTIONS,
      { flags: '-n, --dry-run', summary: 'print what it would do, start nothing' },
      { flags: '-w, --wait', summary: 'show progress until the run ends; Ctrl-C leaves it going' },
      WAIT_TIMEOUT,
      {
        flags: '-m, --mode <mode>',
        summary: 'another execution mode for this run; a looser one is for admins',
        choices: EXECUTION_MODES,
      },
      { flags: '--force', summary: 'start in spite of cooldown, conditions and blackouts; for admins' },
      { flags: '--skip-approval', summary: 'approve plain gates as yourself, those that name approvers never' },
      { flags: '--idempotency-key <key>', summary: 'a second start with the same key answers with the first run' },
    ],
    examples: [
      'sop run deploy-production --param version=2.1.0 --param environment=production',
      `sop run deploy-production --vars '{"version": "2.1.0"}' --dry-run`,
      'sop run db-backup --payload @payload.json --wait --timeout 10m',
    ],
    load: async () => (await import('./verbs/run.ts')).run,
  },
  {
    name: 'status',
    summary: 'show a run; without one, all open runs',
    args: [{ ...RUN_ARGUMENT, name: '[run]' }],
    options: [
      { flags: '-s, --step <number>', summary: 'one step with its output' },
      { flags: '-l, --long', summary: 'times in UTC, with output and digests' },
      { flags: '-w, --wait', summary: 'go on showing progress until the run ends' },
      WAIT_TIMEOUT,
    ],
    examples: [
      'sop status',
      'sop status sop_run_01JAB',
      'sop status deploy-production --step 2',
      'sop status sop_run_01JAB --wait',
    ],
    load: async () => (await import('./verbs/status.ts')).status,
  },
  {
    name: 'history',
    summary: 'the latest runs of one SOP',
    args: [{ name: '<sop>', summary: 'name of the SOP', completes: 'sop' }],
    options: [
      { flags: '-n, --limit <number>', summary: 'how many (default 10)' },
      { flags: '-l, --long', summary: 'times in UTC' },
    ],
    examples: ['sop history deploy-production --limit 10'],
    load: async () => (await import('./verbs/history.ts')).history,
  },
  {
    name: 'runs',
    summary: 'runs of all SOPs, newest first',
    options: [
      { flags: '--sop <name>', summary: 'only runs of this SOP', completes: 'sop' },
      {
        flags: '--state <state>',
        summary: 'only runs in this state; "open" and "closed" work too',
        choices: [...RUN_STATES, 'open', 'closed'],
        repeats: true,
      },
      { flags: '--priority <priority>', summary: 'only runs of this priority', choices: PRIORITIES, repeats: true },
      {
        flags: '--trigger <type>',
        summary: 'only runs that such a trigger began',
        choices: TRIGGER_TYPES,
        repeats: true,
      },
      { flags: '--waiting', summary: 'only runs that wait for a person: at a gate, at a manual step, or paused' },
      { flags: '--from <time>', summary: 'created then or later: an instant, or how long ago, e.g. 7d' },
      { flags: '--to <time>', summary: 'created before then' },
      {
        flags: '--text <words>',
        summary: 'only runs whose id, SOP, version, starter, trigger, reason or open gates have all these words',
      },
      { flags: '-n, --limit <number>', summary: 'how many (default 50)' },
      { flags: '--cursor <cursor>', summary: 'go on where the list before ended; it says so there' },
      { flags: '-l, --long', summary: 'times in UTC, with trigger and reason' },
    ],
    examples: [
      'sop runs',
      'sop runs --sop deploy-production --state failed --limit 5',
      'sop runs --state open',
      'sop runs --waiting',
      'sop runs --priority critical --trigger webhook --from 7d --text database',
    ],
    load: async () => (await import('./verbs/runs.ts')).runs,
  },
  {
    name: 'audit',
    summary: 'what happened in a run: who, what, when',
    args: [RUN_ARGUMENT],
    options: [{ flags: '-l, --long', summary: 'with every detail and the hash of each event' }],
    examples: ['sop audit sop_run_01JAB', 'sop audit deploy-production --json'],
    load: async () => (await import('./verbs/audit.ts')).audit,
  },
  {
    name: 'logs',
    summary: 'what the steps of a run printed',
    details:
      'Control characters are written out, so that a log cannot play with the terminal; colours stay. --raw changes nothing.',
    args: [RUN_ARGUMENT],
    options: [
      { flags: '-s, --step <number>', summary: 'only this step' },
      { flags: '--attempt <number>', summary: 'only this attempt of the step' },
      { flags: '--item <number>', summary: 'only this item of a for_each step' },
      { flags: '--source <name>', summary: '"step" (default), "verify", "rollback" or the key of a gate' },
      { flags: '-f, --follow', summary: 'go on until the run (or the step) ends' },
      { flags: '--raw', summary: 'print the bytes as they came' },
    ],
    examples: [
      'sop logs sop_run_01JAB',
      'sop logs sop_run_01JAB --step 2',
      'sop logs sop_run_01JAB --step 3 --item 5',
      'sop logs deploy-production -f',
    ],
    load: async () => (await import('./verbs/logs.ts')).logs,
  },
]
