import { EXECUTION_MODES, PRIORITIES } from '../core/definition.ts'
import type { CommandSpec } from './command.ts'

/** Verbs about the procedures themselves. */
export const SOP_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'list',
    summary: 'list the SOPs, broken ones last',
    options: [{ flags: '-l, --long', summary: 'with version, description, path, last run and warnings' }],
    examples: ['sop list', 'sop list --long', 'sop list --json'],
    load: async () => (await import('./verbs/list.ts')).list,
  },
  {
    name: 'show',
    summary: 'show one SOP: its settings, params, gates and steps',
    args: [{ name: '<sop>', summary: 'name of the SOP', completes: 'sop' }],
    options: [
      { flags: '--source', summary: 'print its files as they are written' },
      { flags: '--versions', summary: 'the definitions that its runs ran by, newest first' },
      {
        flags: '--digest <digest>',
        summary:
          'the definition of this digest, not the one of its file now; with --source its text, where that was kept',
      },
    ],
    examples: [
      'sop show deploy-production',
      'sop show deploy-production --source',
      'sop show deploy-production --versions',
    ],
    load: async () => (await import('./verbs/show.ts')).show,
  },
  {
    name: 'validate',
    summary: 'compile SOPs and print every finding; needs no engine',
    details:
      'Without an argument all SOPs of the SOP directory are checked. Exit code 1 if there is an error; warnings are no error.',
    args: [{ name: '[what...]', summary: 'names of SOPs, files or folders', completes: 'sop' }],
    options: [{ flags: '--strict', summary: 'warnings count as errors' }],
    examples: ['sop validate', 'sop validate deploy-production', 'sop validate sops/deploy.md --strict'],
    load: async () => (await import('./verbs/validate.ts')).validate,
  },
  {
    name: 'create',
    summary: 'write the skeleton of a new SOP; it runs as it is',
    details: 'On a terminal it asks for what is missing. Without an engine it writes into the SOP directory itself.',
    args: [{ name: '[name]', summary: 'letters, digits, dot, dash and underscore' }],
    options: [
      { flags: '-d, --description <text>', summary: 'one sentence that says what it is for' },
      { flags: '-m, --mode <mode>', summary: 'when it asks for approval', choices: EXECUTION_MODES },
      { flags: '-p, --priority <priority>', summary: 'how urgent its runs are', choices: PRIORITIES },
      { flags: '--single-file', summary: 'one NAME.md with front matter, not a folder with SOP.toml and SOP.md' },
    ],
    examples: [
      'sop create rotate-keys --description "Rotate the signing keys" --mode supervised --priority high',
      'sop create rotate-keys --single-file',
    ],
    load: async () => (await import('./verbs/create.ts')).create,
  },
]
