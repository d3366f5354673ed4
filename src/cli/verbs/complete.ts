import type { CompleteRequest } from '../../client/client.ts'
import type { Param } from '../../core/definition.ts'
import type { InputView } from '../../core/run/view.ts'
import { askForm, coerceValue } from '../ask-form.ts'
import type { Verb } from '../command.ts'
import { type DecisionOptions, decisionRequest, showReply } from '../decision.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../exit-codes.ts'
import { isInteractive } from '../io.ts'
import { type Values, readNumber, readStep, readValues } from '../params.ts'
import { cleanDeep } from '../render/clean.ts'
import { renderInput } from '../render/run-view.ts'

export interface CompleteOptions extends DecisionOptions {
  readonly value?: readonly string[]
  readonly values?: string
  readonly item?: string
  readonly untick?: boolean
  readonly failed?: boolean
}

export const complete: Verb<CompleteOptions> = async (context, [ref = '', stepText], options) => {
  const step = readStep(stepText, options.step)
  const item = readNumber('--item', options.item, { least: 1 })
  if (options.untick === true && item === undefined) throw new UsageError('Cannot untick: --untick needs --item')
  if (options.failed === true && item !== undefined)
    throw new UsageError(
      'Cannot report an item as failed: --failed is about the whole step; for one of a list: sop resolve --ran --failed --item',
    )
  const given = await readValues(context.io, [['--values', options.values]], ['--value', options.value])
  if (item !== undefined && given !== undefined)
    throw new UsageError('Cannot tick an item with values: --item stands alone')
  const client = await context.client()
  const isWhole = item === undefined && options.failed !== true
  const input = isWhole ? await findInput(context, ref, step) : undefined
  const values = isWhole ? await fillForm(context, input, given) : given
  const request: CompleteRequest = {
    ...decisionRequest(options),
    ...(values === undefined ? {} : { values }),
    ...(item === undefined ? {} : { item, ticked: options.untick !== true }),
    ...(options.failed === true ? { failed: true } : {}),
  }
  const verb =
    item === undefined ? (options.failed === true ? 'fail' : 'complete') : options.untick === true ? 'untick' : 'tick'
  return showReply(context, verb, await client.completeStep(ref, step ?? input?.stepNumber, request))
}

/** The manual step that is meant, if it is the only one; otherwise the engine says what is wrong. */
const findInput = async (context: Context, ref: string, step: number | undefined): Promise<InputView | undefined> => {
  const view = await (await context.client()).getRunStatus(ref)
  const fitting = view.openInputs.filter(({ stepNumber }) => step === undefined || stepNumber === step)
  return fitting.length === 1 ? fitting[0] : undefined
}

const fillForm = async (
  context: Context,
  input: InputView | undefined,
  given: Values | undefined,
): Promise<Values | undefined> => {
  const form: readonly Param[] = input?.form ?? []
  const typed = Object.fromEntries(
    Object.entries(given ?? {}).map(([key, value]) => [
      key,
      coerceValue(
        form.find(({ name }) => name === key),
        value,
      ),
    ]),
  )
  const missing = form.filter(({ name }) => !Object.hasOwn(typed, name))
  if (input !== undefined && missing.length > 0 && isInteractive(context.io) && !context.json) {
    context.io.err.write(
      `${renderInput(cleanDeep(input), { colours: context.colours, now: context.io.now(), long: false })}\n`,
    )
    return { ...typed, ...(await askForm(context.io, missing)) }
  }
  return given === undefined ? undefined : typed
}
