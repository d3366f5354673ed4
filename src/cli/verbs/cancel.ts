import { finishedLastFirst } from '../../core/run/rollback.ts'
import type { RunView } from '../../core/run/view.ts'
import type { Verb } from '../command.ts'
import type { Context } from '../context.ts'
import { type DecisionOptions, decisionRequest, showReply } from '../decision.ts'
import { exitCode } from '../exit-codes.ts'
import { isInteractive } from '../io.ts'
import { cleanDeep } from '../render/clean.ts'
import { oneLine } from '../render/table.ts'

export interface CancelOptions extends DecisionOptions {
  readonly rollback?: boolean
  readonly yes?: boolean
}

export const cancel: Verb<CancelOptions> = async (context, [ref = ''], options) => {
  const request = decisionRequest(options)
  const client = await context.client()
  if (options.rollback !== true) return showReply(context, 'cancel', await client.cancelRun(ref, request))
  if (isInteractive(context.io) && options.yes !== true && !context.json) {
    if (!(await isSure(context, await client.getRunStatus(ref)))) {
      context.hint('Nothing was undone, and the run was not cancelled.')
      return exitCode('failed')
    }
  }
  return showReply(context, 'rollback', await client.cancelRun(ref, { ...request, rollback: true }))
}

/** Shows what would be undone, and asks. */
const isSure = async (context: Context, view: RunView): Promise<boolean> => {
  const done = cleanDeep(finishedLastFirst(view.stepResults))
  const lines = done.map(({ number, title }) => `  ${number}. ${oneLine(title)}`)
  context.io.err.write(
    lines.length === 0
      ? 'No step has finished: there is nothing to undo.\n'
      : `Finished steps, in the order in which their undo runs where they have one:\n${lines.join('\n')}\n`,
  )
  const answer = await context.io.ask('Undo them and end the run? [y/N] ')
  return /^y(es)?$/i.test(answer?.trim() ?? '')
}
