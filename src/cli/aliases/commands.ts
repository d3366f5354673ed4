import { EXECUTION_MODES, PRIORITIES } from '../../core/definition.ts'
import type { CommandSpec, OptionSpec } from '../command.ts'
import { PARAM_OPTIONS, RUN_ARGUMENT } from '../commands-runs.ts'

const NO_WAIT: OptionSpec = {
  flags: '--no-wait',
  summary: 'answer at once; default: when the run has ended or waits for somebody',
}

/** The commands of seed 004 with the options that the seeds show. Each is a program of its own. */
export const ALIASES = {
  list: {
    name: 'sop-list',
    summary: 'list the SOPs',
    options: [{ flags: '-l, --long', summary: 'with version, description, path, last run and warnings' }],
    examples: ['sop-list'],
    load: async () => (await import('../verbs/list.ts')).list,
  },
  create: {
    name: 'sop-create',
    summary: 'write the skeleton of a new SOP, NAME.md, into the SOP directory; needs no engine',
    args: [{ name: '<name>', summary: 'letters, digits, dot, dash and underscore' }],
    options: [
      { flags: '-d, --description <text>', summary: 'one sentence that says what it is for' },
      { flags: '-m, --mode <mode>', summary: 'when it asks for approval', choices: EXECUTION_MODES },
      { flags: '-p, --priority <priority>', summary: 'how urgent its runs are', choices: PRIORITIES },
    ],
    examples: ['sop-create rotate-keys --description "Rotate the signing keys" --mode supervised --priority high'],
    load: async () => (await import('./create.ts')).createSingleFile,
  },
  execute: {
    name: 'sop-execute',
    summary: 'start a run and answer when it has ended or waits for somebody',
    details: 'The first line of its answer is "Run ID: ...", and the id stands nowhere else on stdout.',
    args: [{ name: '<sop>', summary: 'name of the SOP', completes: 'sop' }],
    options: [...PARAM_OPTIONS, { flags: '-n, --dry-run', summary: 'print what it would do, start nothing' }, NO_WAIT],
    examples: [
      'sop-execute deploy-frontend',
      `sop-execute deploy-frontend --payload '{"key": "value"}'`,
      'sop-execute deploy-frontend --dry-run',
    ],
    load: async () => (await import('./execute.ts')).execute,
  },
  approve: {
    name: 'sop-approve',
    summary: 'approve the open gate of a run and answer when it has ended or waits again',
    args: [RUN_ARGUMENT],
    options: [
      { flags: '-s, --step <number>', summary: 'the step whose gate is meant' },
      { flags: '-c, --comment <text>', summary: 'goes on record' },
      NO_WAIT,
    ],
    examples: ['sop-approve sop_run_01JAB', 'sop-approve sop_run_01JAB --step 3 --comment "Looks good"'],
    load: async () => (await import('./approve.ts')).approveAndWait,
  },
  reject: {
    name: 'sop-reject',
    summary: 'reject and cancel a run',
    args: [RUN_ARGUMENT],
    options: [{ flags: '-r, --reason <text>', summary: 'goes on record' }],
    examples: ['sop-reject sop_run_01JAB --reason "Not ready for deployment"'],
    load: async () => (await import('./reject.ts')).rejectAndCancel,
  },
  status: {
    name: 'sop-status',
    summary: 'show a run; without one, all open runs',
    args: [{ ...RUN_ARGUMENT, name: '[run]' }],
    options: [
      { flags: '-s, --step <number>', summary: 'one step with its output' },
      { flags: '-l, --long', summary: 'times in UTC' },
    ],
    examples: ['sop-status sop_run_01JAB', 'sop-status'],
    load: async () => (await import('../verbs/status.ts')).status,
  },
  runs: {
    name: 'sop-runs',
    summary: 'list runs, active and completed, newest first',
    options: [
      { flags: '--sop <name>', summary: 'only runs of this SOP' },
      { flags: '-n, --limit <number>', summary: 'how many (default 50)' },
    ],
    examples: ['sop-runs', 'sop-runs --sop deploy-frontend'],
    load: async () => (await import('../verbs/runs.ts')).runs,
  },
} as const satisfies Readonly<Record<string, CommandSpec>>
