import type { DecisionReply } from '../../core/run/decision.ts'
import { SopError } from '../../core/errors.ts'
import type { RunView, StepView } from '../../core/run/view.ts'
import type { Verb } from '../command.ts'
import type { Context } from '../context.ts'
import { type DecisionOptions, decisionRequest, readItem, showReply } from '../decision.ts'
import { UsageError, exitCode } from '../exit-codes.ts'
import { isInteractive } from '../io.ts'
import { type Values, readStep, readValues } from '../params.ts'
import { cleanDeep } from '../render/clean.ts'
import { renderStep } from '../render/run-view.ts'

export interface ResolveOptions extends DecisionOptions {
  readonly ran?: boolean
  readonly didNotRun?: boolean
  readonly retry?: boolean
  readonly failed?: boolean
  readonly value?: readonly string[]
  readonly values?: string
}

type Answer = 'ran' | 'failed' | 'did_not_run' | 'retry'

export const resolve: Verb<ResolveOptions> = async (context, [ref = '', stepText], options) => {
  const wanted = readStep(stepText, options.step)
  const given = answerOf(options)
  const values = await readValues(context.io, [['--values', options.values]], ['--value', options.value])
  if (values !== undefined && given !== 'ran')
    throw new UsageError('Cannot hand outputs on: --value and --values need --ran')
  const request = { ...decisionRequest(options), ...readItem(options) }
  const client = await context.client()
  const view = await client.getRunStatus(ref)
  const { step, item } = unknownStep(view, { step: wanted, item: request.item })
  const answer = given ?? (await askAnswer(context, view, step))
  if (answer === undefined) {
    context.hint('Nothing was said about the step.')
    return exitCode('failed')
  }
  // Bound to the attempt that was looked at: what is said of it is never taken for another one.
  const about = { ...request, step: step.number, ...(item === undefined ? { attempt: step.attempt } : { item }) }
  return showReply(context, VERBS[answer], await send(context, view.runId, answer, about, values))
}

const VERBS = { ran: 'complete', failed: 'fail', did_not_run: 'retry', retry: 'retry' } as const

const send = async (
  context: Context,
  runId: string,
  answer: Answer,
  about: ReturnType<typeof decisionRequest> & { readonly step: number; readonly item?: number },
  values: Values | undefined,
): Promise<DecisionReply> => {
  const client = await context.client()
  switch (answer) {
    case 'ran':
      return client.completeStep(runId, about.step, { ...about, ...(values === undefined ? {} : { values }) })
    case 'failed':
      return client.completeStep(runId, about.step, { ...about, failed: true })
    case 'did_not_run':
      return client.retryRun(runId, { ...about, outcome: 'did_not_run' })
    case 'retry':
      return client.retryRun(runId, about)
  }
}

const answerOf = ({ ran, didNotRun, retry, failed }: ResolveOptions): Answer | undefined => {
  const given = [ran === true && '--ran', didNotRun === true && '--did-not-run', retry === true && '--retry'].filter(
    (each) => each !== false,
  )
  if (given.length > 1) throw new UsageError(`Cannot say both: ${given.join(' and ')}. Give only one of them`)
  if (failed === true && ran !== true) throw new UsageError('Cannot say that it failed: --failed needs --ran')
  if (ran === true) return failed === true ? 'failed' : 'ran'
  if (didNotRun === true) return 'did_not_run'
  return retry === true ? 'retry' : undefined
}

interface Wanted {
  readonly step: number | undefined
  readonly item: number | undefined
}

/** The step that is unknown, or the `for_each` step of which an item is. */
interface Unknown {
  readonly step: StepView
  readonly item?: number
}

const isUnknown = ({ status, items }: StepView): boolean => status === 'unknown' || (items?.unknown ?? 0) > 0

/** @throws SopError `conflict` where no step is unknown; UsageError where it has to be said which one is meant */
const unknownStep = ({ runId, status, stepResults }: RunView, wanted: Wanted): Unknown => {
  const found = stepResults.filter(
    (step) => isUnknown(step) && (wanted.step === undefined || step.number === wanted.step),
  )
  const [step] = found
  if (step === undefined) {
    const what = wanted.step === undefined ? 'no step of it is unknown' : `step ${wanted.step} is not unknown`
    throw new SopError('conflict', `Cannot resolve run "${runId}": ${what}; the run is ${status}`)
  }
  if (found.length === 1) return unknownItem(runId, step, wanted.item)
  const numbers = found.map(({ number }) => number).join(', ')
  throw new UsageError(`Cannot resolve run "${runId}": steps ${numbers} are unknown; say which with --step`)
}

const unknownItem = (runId: string, step: StepView, wanted: number | undefined): Unknown => {
  if (step.status === 'unknown') return { step }
  const items = (step.items?.shown ?? []).filter(({ status }) => status === 'unknown').map(({ item }) => item)
  // A view shows the first ones only; of any other the engine knows.
  if (wanted !== undefined) return { step, item: wanted }
  const [only, ...others] = items
  if (only !== undefined && others.length === 0) return { step, item: only }
  const list = `${items.join(', ')}${(step.items?.unknown ?? 0) > items.length ? ' and more' : ''}`
  throw new UsageError(
    `Cannot resolve run "${runId}": items ${list} of step ${step.number} are unknown; say which with --item`,
  )
}

/** @throws UsageError where nobody can be asked */
const askAnswer = async (context: Context, view: RunView, step: StepView): Promise<Answer | undefined> => {
  if (!isInteractive(context.io) || context.json)
    throw new UsageError('Cannot resolve the step: say one of --ran, --did-not-run, --retry')
  const look = { colours: context.colours, now: context.io.now(), long: false }
  context.io.err.write(`${renderStep(cleanDeep(view), cleanDeep(step), look)}\n\n`)
  for (;;) {
    const answer = await context.io.ask('Did it run? [yes / no / failed / retry / leave it] ')
    switch (answer?.trim().toLowerCase()) {
      case 'y':
      case 'yes':
      case 'ran':
        return 'ran'
      case 'n':
      case 'no':
        return 'did_not_run'
      case 'failed':
        return 'failed'
      case 'retry':
        return 'retry'
      case undefined:
      case '':
      case 'leave it':
        return undefined
      default:
        context.io.err.write(
          'Say yes, no, failed (it ran and failed), retry (run it again though it may have run), or nothing.\n',
        )
    }
  }
}
