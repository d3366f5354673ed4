import { isClosed } from '../core/run/state.ts'
import type { RunView } from '../core/run/view.ts'
import type { Context } from './context.ts'
import { exitCode, exitCodeOfRun } from './exit-codes.ts'
import { type Stop, followRun } from './follow.ts'
import { createProgress } from './progress.ts'
import { nextCommands } from './render/next-commands.ts'
import { sopCommand } from './render/shell-word.ts'
import { renderState } from './render/state.ts'
import { oneLine } from './render/table.ts'
import { renderDuration } from './render/time.ts'

/** Shows progress until the run ends, is paused, or the waiting is over. Returns the exit code. */
export const waitForEnd = async (context: Context, first: RunView, timeoutMs: number | undefined): Promise<number> => {
  const progress = createProgress(context)
  const { view, stop } = await followRun(context, first, {
    until: 'end',
    onView: progress.update,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  })
  progress.end()
  context.show(
    view,
    (clean) =>
      `${renderState(context.colours, clean.status)}${tookOf(clean)}${clean.reason === undefined ? '' : `: ${oneLine(clean.reason)}`}`,
  )
  sayWhatNext(context, view, stop)
  return stop === 'interrupted' ? exitCode('interrupted') : exitCodeOfRun(view.status)
}

const tookOf = ({ startedAt, completedAt }: RunView): string =>
  startedAt === undefined || completedAt === undefined
    ? ''
    : ` after ${renderDuration(Date.parse(completedAt) - Date.parse(startedAt))}`

const sayWhatNext = (context: Context, view: RunView, stop: Stop): void => {
  if (isClosed(view.status)) return
  const goesOn = {
    interrupted: 'Stopped watching. The run goes on.',
    timeout: 'The time to wait is over. The run goes on.',
    rests: 'The run is paused for a person.',
    closed: '',
  }
  context.hint(goesOn[stop])
  if (stop === 'rests') for (const command of nextCommands(view)) context.hint(command)
  context.hint(`Follow it: ${sopCommand('status', view.runId, '--wait')}`)
}
