import type { CommandSpec } from './command.ts'
import { RUN_ARGUMENT } from './commands-runs.ts'

/** Verbs that check records and take them elsewhere. */
export const RECORD_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'verify-audit',
    summary: 'whether records are what was recorded; without a run, of all runs',
    details:
      'Finds edited, missing, reordered, duplicated, inserted and cut-off events, deleted and rewritten records, changed definitions and logs, ' +
      'and forged heads; compares with the workflow history while Temporal has it. Exit code 1 when something is wrong. A file that sop ' +
      'export wrote is checked without an engine.',
    args: [
      { name: '[what...]', summary: 'run ids, names of SOPs with one open run, exported files', completes: 'run' },
    ],
    options: [
      {
        flags: '--key <base64>',
        summary: 'a public key whose signatures count: of an exported file, or one that was replaced',
        repeats: true,
      },
      { flags: '--head <index:hash>', summary: 'a head that was noted elsewhere: the chain of heads has to have it' },
      { flags: '--no-history', summary: 'do not ask Temporal; quicker where there are many runs' },
      { flags: '-l, --long', summary: 'with notices: what is good to know though nothing is wrong' },
    ],
    examples: [
      'sop verify-audit',
      'sop verify-audit sop_run_01JAB',
      'sop verify-audit --no-history --json',
      'sop verify-audit sop_run_01JAB.sop-export.jsonl --key MCowBQYDK2VwAyEAMCowBQYDK2VwAyEAMCowBQYDK2U=',
    ],
    load: async () => (await import('./verbs/verify-audit.ts')).verifyAudit,
  },
  {
    name: 'export',
    summary: 'everything about a run as one file that can be checked elsewhere',
    details:
      'Events, definition, run document, heads and logs, sealed with the key of the installation. sop verify-audit FILE checks it on any ' +
      'machine, without an engine. Secrets stay masked.',
    args: [RUN_ARGUMENT],
    options: [
      {
        flags: '-o, --out <file>',
        summary: 'where to write it (default: <run id>.sop-export.jsonl); - is standard output',
      },
    ],
    examples: ['sop export sop_run_01JAB', 'sop export deploy-production --out /tmp/deploy.jsonl'],
    load: async () => (await import('./verbs/export.ts')).exportRun,
  },
]
