import { PRINCIPAL_KINDS, TOKEN_ROLES } from '../core/run/principal.ts'
import type { CommandSpec } from './command.ts'

/** Verbs about the engine, its settings and this program. */
export const ENGINE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'serve',
    summary: 'start the engine: Temporal, worker, API and page in one process',
    options: [
      { flags: '--welcome', summary: 'carry out the SOP "welcome" at the first start' },
      { flags: '--no-worker', summary: 'only the API; a worker runs elsewhere' },
    ],
    examples: ['sop serve', 'sop serve --welcome'],
    load: async () => (await import('./verbs/serve.ts')).serve,
  },
  {
    name: 'worker',
    summary: 'start only a worker; an API runs elsewhere',
    details:
      'Without --pool it is the worker of the engine and owns the data directory. With --pool it carries out the steps that name the pool ' +
      '(runs_on), on any host that reaches Temporal and the API (--url, a token of the role worker in SOP_TOKEN); what it keeps is in SOP_WORKER_DIR.',
    options: [
      { flags: '--pool <name>', summary: 'serve this pool' },
      { flags: '--label <label>', summary: 'what this worker has, for steps that ask for it', repeats: true },
      { flags: '--token <token>', summary: 'better in SOP_TOKEN, where no list of processes shows it' },
    ],
    examples: ['sop worker', 'sop worker --pool dba --label eu --url https://sop.example.com'],
    load: async () => (await import('./verbs/worker.ts')).worker,
  },
  {
    name: 'check-upgrade',
    summary: 'replay all open runs against this build, and say which would break',
    details:
      'Changes nothing. Compares order, kind and arguments of what each run did, and its view and record, with what this build would do. Exit code 0: it can take over; 1: do not upgrade.',
    options: [
      { flags: '--concurrency <n>', summary: 'histories that are fetched at the same time (default: 4)' },
      { flags: '--strict', summary: 'refuse also what this build only says more' },
    ],
    examples: ['sop check-upgrade', 'sop check-upgrade --json'],
    load: async () => (await import('./verbs/check-upgrade.ts')).checkUpgrade,
  },
  {
    name: 'health',
    summary: 'what of the engine does not work, since when, and what to do',
    details: 'Exit code 0: all is well; 1: something does not work.',
    options: [{ flags: '-l, --long', summary: 'also what works, and the figures' }],
    examples: ['sop health', 'sop health --long', 'sop health --json'],
    load: async () => (await import('./verbs/health.ts')).health,
  },
  {
    name: 'backup',
    summary: 'copy the data directory into one file, also while the engine runs',
    details:
      'For an engine with its own Temporal and its records in files. The server stands still for some ten milliseconds. The file holds the key of the ' +
      'installation and values of secret params: whoever has it can act as this installation, so keep it as you keep those.',
    options: [{ flags: '--out <path>', summary: 'a file, or a folder that is there (default: the working directory)' }],
    examples: ['sop backup', 'sop backup --out /var/backups', 'sop backup --out nightly.tar.gz --json'],
    load: async () => (await import('./verbs/backup.ts')).backup,
  },
  {
    name: 'restore',
    summary: 'make a data directory of a backup, and let its engine go on',
    details:
      'An engine that is started on it comes up with its open runs and schedules paused, steps that were under way unknown, and triggers waiting, since what was ' +
      'done after the backup is not known there. Resume the runs that are still wanted, and then let the rest go on with --confirm, in the ' +
      'place of that engine (SOP_DATA_DIR). Or cancel those that are not wanted any more, and resume all others at once with --resume-runs.',
    args: [{ name: '[file]', summary: 'what sop backup made' }],
    options: [
      { flags: '--to <dir>', summary: 'the data directory to make; it must not be there yet, or be empty' },
      { flags: '--confirm', summary: 'a person has looked: schedules and triggers go on' },
      {
        flags: '--resume-runs',
        summary: 'with --confirm: all runs that the restore paused go on, too; what is unknown still asks',
      },
    ],
    examples: [
      'sop restore nightly.tar.gz --to /srv/sop',
      'sop restore --confirm',
      'sop restore --confirm --resume-runs',
    ],
    load: async () => (await import('./verbs/restore.ts')).restore,
  },
  {
    name: 'config',
    summary: 'show every setting and where its value came from',
    args: [{ name: '[setting]', summary: 'only this setting, or those below it' }],
    examples: ['sop config', 'sop config temporal.address', 'sop config --json'],
    load: async () => (await import('./verbs/config.ts')).config,
  },
  {
    name: 'open',
    summary: 'open the page, signed in: a link that is good once',
    details:
      'Prints the link, and on a terminal shows it in a browser. It is good for ten minutes and signs in as the holder of the credential that this command uses.',
    args: [{ name: '[run]', summary: 'go to this run; without it, to what waits', completes: 'run' }],
    options: [{ flags: '--print', summary: 'only print the link' }],
    examples: ['sop open', 'sop open deploy-production', 'sop open --print'],
    load: async () => (await import('./verbs/open.ts')).open,
  },
  {
    name: 'token',
    summary: 'credentials for people and programs: create, list, revoke',
    details: 'A token is shown once, when it is created; only its hash is kept. Default role: viewer.',
    args: [
      { name: '<action>', summary: 'create, list or revoke', choices: ['create', 'list', 'revoke'] },
      { name: '[name]', summary: 'whose token it is; this name stands in the audit log' },
    ],
    options: [
      {
        flags: '--role <role>',
        summary:
          'what it may do; each role may do all that the ones before it may, but a worker only carries out steps',
        choices: TOKEN_ROLES,
      },
      {
        flags: '--group <group>',
        summary: 'a group that it belongs to; for a worker, a pool that it may serve',
        repeats: true,
      },
      { flags: '--kind <kind>', summary: 'who holds it', choices: PRINCIPAL_KINDS.filter((kind) => kind !== 'timer') },
    ],
    examples: ['sop token create alice --role approver --group dba', 'sop token list', 'sop token revoke alice'],
    load: async () => (await import('./verbs/token.ts')).token,
  },
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    args: [{ name: '<shell>', summary: 'bash, zsh or fish', choices: ['bash', 'zsh', 'fish'] }],
    examples: ['sop completion bash', 'sop completion fish'],
    load: async () => (await import('./verbs/completion.ts')).completion,
  },
  {
    name: '__complete',
    summary: 'candidates for the last word of a command line, one a line',
    args: [{ name: '[words...]', summary: 'the words so far' }],
    examples: [],
    hidden: true,
    passesAll: true,
    load: async () => (await import('./verbs/complete-word.ts')).completeWord,
  },
  {
    name: 'help',
    summary: 'help for a verb, or about "exit-codes" and "environment"',
    args: [{ name: '[topic]', summary: 'a verb, exit-codes or environment', completes: 'verb' }],
    examples: ['sop help', 'sop help run', 'sop help exit-codes'],
    load: async () => (await import('./verbs/help.ts')).help,
  },
  {
    name: 'version',
    summary: 'print the version',
    examples: ['sop version'],
    load: async () => (await import('./verbs/version.ts')).version,
  },
]
