import type { ApproveRequest, DecisionRequest } from '../../client/client.ts'
import type { GateView } from '../../core/run/view.ts'
import type { Verb } from '../command.ts'
import type { Context } from '../context.ts'
import { type DecisionOptions, decisionRequest, showReply } from '../decision.ts'
import { UsageError, exitCode } from '../exit-codes.ts'
import { isInteractive } from '../io.ts'
import { readStep } from '../params.ts'
import { cleanDeep } from '../render/clean.ts'
import { renderValues } from '../render/json-value.ts'
import { renderGate } from '../render/run-view.ts'

export const approve: Verb<DecisionOptions & { readonly yes?: boolean }> = async (
  context,
  [ref = '', stepText],
  options,
) => {
  const step = readStep(stepText, options.step)
  let request: ApproveRequest = decisionRequest(options)
  const client = await context.client()
  if (isInteractive(context.io) && options.yes !== true && !context.json) {
    const shown = await confirmGate(context, ref, {
      ...(options.gate === undefined ? {} : { gate: options.gate }),
      step,
    })
    if (shown === 'no') {
      context.hint('Nothing was approved.')
      return exitCode('failed')
    }
    // The answer is bound to what was shown: if the gate reopened, or stands for other commands or params, it is refused.
    if (shown !== undefined) request = { ...request, ...boundTo(shown) }
  }
  return showReply(context, 'approve', await client.approveStep(ref, step, request))
}

const boundTo = ({ gate, attempt, covers }: GateView): ApproveRequest => ({
  gate,
  attempt,
  ...(covers === undefined ? {} : { covers }),
})

/** Shows the gate that is meant and asks. `undefined`: none fits, and the engine is to say why. */
const confirmGate = async (
  context: Context,
  ref: string,
  wanted: Pick<DecisionRequest, 'gate'> & { readonly step: number | undefined },
): Promise<GateView | 'no' | undefined> => {
  const view = await (await context.client()).getRunStatus(ref)
  const fitting = view.openGates.filter(
    (gate) =>
      (wanted.step === undefined || gate.stepNumber === wanted.step) &&
      (wanted.gate === undefined || gate.gate === wanted.gate),
  )
  const look = { colours: context.colours, now: context.io.now(), long: false }
  for (const gate of fitting) context.io.err.write(`${renderGate(cleanDeep(gate), look)}\n`)
  const params = renderValues(cleanDeep(view.params))
  if (fitting.length > 0 && params !== '') context.io.err.write(`  Params: ${params}\n`)
  const gate = fitting.length > 1 ? await chooseGate(context, fitting) : fitting[0]
  if (gate === undefined) return undefined
  const answer = await context.io.ask('Approve? [y/N] ')
  return /^y(es)?$/i.test(answer?.trim() ?? '') ? gate : 'no'
}

const chooseGate = async (context: Context, gates: readonly GateView[]): Promise<GateView> => {
  const ids = gates.map(({ gate }) => gate)
  const answer = (await context.io.ask(`Which gate? (${cleanDeep(ids).join(', ')}) `))?.trim()
  const gate = gates.find((each) => each.gate === answer)
  if (gate === undefined) throw new UsageError(`Cannot choose gate "${answer ?? ''}": open are ${ids.join(', ')}`)
  return gate
}
