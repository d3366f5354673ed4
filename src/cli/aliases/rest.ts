import { isClosed } from '../../core/run/state.ts'
import type { RunView } from '../../core/run/view.ts'
import type { Context } from '../context.ts'
import { exitCode, exitCodeOfRun } from '../exit-codes.ts'
import { type FollowOptions, followRun } from '../follow.ts'

/**
 * Waits as the commands of seed 004 did: they carried the steps out themselves, so a script that calls the next one may
 * rely on the run having ended or standing at its next gate. A run that waits for somebody is no failure.
 */
export const waitForRest = async (
  context: Context,
  first: RunView,
  decided?: FollowOptions['decided'],
): Promise<{ view: RunView; code: number }> => {
  const { view, stop } = await followRun(context, first, {
    until: 'rest',
    onView: () => {},
    ...(decided === undefined ? {} : { decided }),
  })
  if (stop === 'interrupted') {
    context.hint('Stopped waiting. The run goes on.')
    return { view, code: exitCode('interrupted') }
  }
  return { view, code: isClosed(view.status) || view.status === 'paused' ? exitCodeOfRun(view.status) : exitCode('ok') }
}
