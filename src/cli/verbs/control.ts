import type { RetryRequest } from '../../client/client.ts'
import type { Verb } from '../command.ts'
import { type DecisionOptions, decisionRequest, readItem, showReply } from '../decision.ts'
import { readStep, readValues } from '../params.ts'

// control.ts: what an operator does with a run that goes on: pause, resume, retry.

export interface RetryOptions extends DecisionOptions {
  readonly param?: readonly string[]
  readonly vars?: string
  readonly payload?: string
}

export const pause: Verb<DecisionOptions> = async (context, [ref = ''], options) => {
  const client = await context.client()
  return showReply(context, 'pause', await client.pauseRun(ref, decisionRequest(options)))
}

export const resume: Verb<DecisionOptions> = async (context, [ref = ''], options) => {
  const client = await context.client()
  return showReply(context, 'resume', await client.resumeRun(ref, decisionRequest(options)))
}

export const retry: Verb<RetryOptions> = async (context, [ref = '', stepText], options) => {
  const step = readStep(stepText, options.step)
  const params = await readValues(
    context.io,
    [
      ['--payload', options.payload],
      ['--vars', options.vars],
    ],
    ['--param', options.param],
  )
  const request: RetryRequest = {
    ...decisionRequest(options),
    ...readItem(options),
    ...(step === undefined ? {} : { step }),
    ...(params === undefined ? {} : { params }),
  }
  const client = await context.client()
  return showReply(context, 'retry', await client.retryRun(ref, request))
}
