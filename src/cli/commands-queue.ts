import { PRIORITIES } from '../core/definition.ts'
import type { CommandSpec } from './command.ts'

/** Verbs about runs that wait for admission. */
export const QUEUE_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'queue',
    summary: 'what waits for a slot, a lock, a cooldown or a blackout, and who has it',
    details:
      'An operator moves a waiting run (to the front, unless an option says where) or drops it (it ends cancelled); an admin admits it over its limits; ' +
      'no order passes a lock that another run holds. Who did it and why stands in the audit log of the run.',
    args: [
      { name: '[action]', summary: 'move, drop or admit', choices: ['move', 'drop', 'admit'] },
      { name: '[run]', summary: 'run id, or the SOP that it is a run of', completes: 'run' },
    ],
    options: [
      { flags: '--before <run>', summary: 'move: before this run', completes: 'run' },
      { flags: '--priority <priority>', summary: 'move: among those of this priority', choices: PRIORITIES },
      { flags: '-r, --reason <text>', summary: 'why; stands in the record' },
      { flags: '-l, --long', summary: 'also who holds slots and locks' },
    ],
    examples: [
      'sop queue',
      'sop queue move sop_run_01kag3qvz5c1t7m0w2e9n4y8xa --reason "the hotfix goes first"',
      'sop queue move deploy-api --priority critical',
      'sop queue drop db-backup --reason "done by hand"',
      'sop queue admit deploy-api --reason "cannot wait"',
    ],
    load: async () => (await import('./verbs/queue.ts')).queue,
  },
]
