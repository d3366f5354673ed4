import type { Accepted } from '../../core/trigger/accepted.ts'
import type { Context } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import { sopCommand } from './shell-word.ts'

/** Shows which runs something began. Exit code 1 where it began none. */
export const showAccepted = (context: Context, accepted: Accepted): number => {
  context.show(accepted, renderAccepted)
  const [first] = accepted.runs
  if (first === undefined) return exitCode('failed')
  context.hint(`Follow it: ${sopCommand('status', first.runId, '--wait')}`)
  return exitCode('ok')
}

const renderAccepted = ({ runs, others }: Accepted): string =>
  [
    ...runs.map(({ sop, runId, duplicate }) =>
      duplicate ? `It is here already: run ${runId} of ${sop}` : `Started run ${runId} of ${sop}`,
    ),
    ...(runs.length === 0 ? ['Nothing was started.'] : []),
    ...others.map(({ sop, reason = 'it does not run' }) => (sop === undefined ? reason : `${sop}: ${reason}`)),
  ].join('\n')
