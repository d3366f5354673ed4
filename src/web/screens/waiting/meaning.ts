import type { Control } from '../../../core/run/controls.ts'

/** What an answer does, for whoever takes a second look at it. */
export const MEANING: Readonly<Partial<Record<Control['name'], string>>> = {
  pause: 'The run stops before its next step. What is under way goes on to its end.',
  cancel: 'The run ends now. What is under way is ended, and nothing is undone.',
  roll_back: 'What is under way is ended, then the finished steps are undone in reverse order, and the run ends.',
  skip: 'It is passed over, and the run goes on behind it.',
  did_not_run: 'It is run now, since it did not run before.',
  run_again: 'It is run again, though it may have run already: its effect may happen twice.',
  reject: 'The gate is closed with a no.',
}
