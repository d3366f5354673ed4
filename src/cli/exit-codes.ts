import { type ErrorCode, codeOf } from '../core/errors.ts'
import type { RunState } from '../core/run/state.ts'

interface Outcome {
  readonly code: number
  readonly meaning: string
}

/** Every exit code of `sop` and of the `sop-*` commands. The page docs/cli.md and `sop help exit-codes` show this table. */
export const EXIT_CODES = {
  ok: { code: 0, meaning: 'Done. With --wait: the run completed.' },
  failed: {
    code: 1,
    meaning:
      'The answer is no: a file has errors, a dry run says that the run would not start, open runs would break, nothing was started by an event, the engine is not well, a record is not what was recorded.',
  },
  usage: { code: 2, meaning: 'The command line is wrong: unknown verb or option, missing argument, unreadable JSON.' },
  invalid: { code: 3, meaning: 'The engine refused the input: params, a broken SOP, a step that does not exist.' },
  unauthenticated: { code: 4, meaning: 'No credential, or one that the engine does not know.' },
  forbidden: { code: 5, meaning: 'The credential is known, and may not do this.' },
  not_found: { code: 6, meaning: 'No SOP, run, step or log of that name.' },
  conflict: { code: 7, meaning: 'It does not fit the state: gate not open, already decided, cooldown, name taken.' },
  unavailable: { code: 8, meaning: 'No engine answers. Start one: sop serve' },
  internal: { code: 9, meaning: 'A defect in sop or in the engine.' },
  run_failed: { code: 10, meaning: 'With --wait: the run failed.' },
  run_cancelled: { code: 11, meaning: 'With --wait: the run was cancelled.' },
  run_open: { code: 12, meaning: 'With --wait: the run is still open; it is paused, or --timeout is over.' },
  interrupted: { code: 130, meaning: 'Ctrl-C. A run that was started goes on.' },
} as const satisfies Record<ErrorCode, Outcome> & Readonly<Record<string, Outcome>>
export type ExitName = keyof typeof EXIT_CODES

/** The number that stands for a named outcome. */
export const exitCode = (name: ExitName): number => EXIT_CODES[name].code

/** The exit code for anything that was thrown. */
export const exitCodeOf = (error: unknown): number =>
  error instanceof UsageError ? EXIT_CODES.usage.code : EXIT_CODES[codeOf(error)].code

/** The exit code of a command that waited for a run which now has this state. */
export const exitCodeOfRun = (state: RunState): number => {
  if (state === 'completed') return EXIT_CODES.ok.code
  if (state === 'failed') return EXIT_CODES.run_failed.code
  return state === 'cancelled' ? EXIT_CODES.run_cancelled.code : EXIT_CODES.run_open.code
}

/** The command line itself is wrong: the engine was not asked. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
