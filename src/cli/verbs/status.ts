import { SopError } from '../../core/errors.ts'
import { RUN_STATES, isClosed } from '../../core/run/state.ts'
import type { RunView } from '../../core/run/view.ts'
import type { Verb } from '../command.ts'
import type { Context } from '../context.ts'
import { UsageError, exitCode } from '../exit-codes.ts'
import { readDuration, readNumber } from '../params.ts'
import { renderRunList } from '../render/run-list.ts'
import { nextCommands } from '../render/next-commands.ts'
import { renderRun, renderRunFacts, renderStep } from '../render/run-view.ts'
import { sopCommand } from '../render/shell-word.ts'
import { waitForEnd } from '../wait.ts'

export interface StatusOptions {
  readonly step?: string
  readonly long?: boolean
  readonly wait?: boolean
  readonly timeout?: string
}

/** States of runs that somebody may have to look after. */
export const OPEN_STATES = RUN_STATES.filter((state) => !isClosed(state))

export const status: Verb<StatusOptions> = async (context, [ref], options) => {
  const stepNumber = readNumber('--step', options.step, { least: 1 })
  const timeoutMs = readDuration('--timeout', options.timeout)
  if (ref === undefined) {
    if (stepNumber !== undefined || options.wait === true)
      throw new UsageError('Cannot show a status: --step and --wait need a RUN')
    return showOpenRuns(context, options.long === true)
  }
  const view = await (await context.client()).getRunStatus(ref)
  if (stepNumber !== undefined) return showStep(context, view, stepNumber, options.long === true)
  const look = { colours: context.colours, now: context.io.now(), long: options.long === true }
  if (options.wait === true && !isClosed(view.status)) {
    if (!context.json) context.show(view, (clean) => renderRunFacts(clean, look))
    return waitForEnd(context, view, timeoutMs)
  }
  context.show(view, (clean) => renderRun(clean, look))
  for (const command of nextCommands(view)) context.hint(command)
  return exitCode('ok')
}

const showOpenRuns = async (context: Context, long: boolean): Promise<number> => {
  const runs = await (await context.client()).listRuns({ states: OPEN_STATES })
  context.show(runs, (clean) =>
    clean.length === 0
      ? 'No open runs. Start one: sop run NAME'
      : renderRunList(clean, { colours: context.colours, now: context.io.now(), long }),
  )
  if (runs.length > 0) context.hint(`One run: ${sopCommand('status', runs[0]?.runId ?? '')}`)
  return exitCode('ok')
}

const showStep = (context: Context, view: RunView, stepNumber: number, long: boolean): number => {
  const step = view.stepResults.find(({ number }) => number === stepNumber)
  if (step === undefined) {
    throw new SopError(
      'not_found',
      `Cannot show step ${stepNumber} of run "${view.runId}": it has ${view.totalSteps} steps`,
    )
  }
  context.show({ runId: view.runId, ...step }, (clean) =>
    renderStep(view, clean, { colours: context.colours, now: context.io.now(), long }),
  )
  return exitCode('ok')
}
