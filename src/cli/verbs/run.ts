import type { SopClient, StartRequest } from '../../client/client.ts'
import type { ExecutionMode } from '../../core/definition.ts'
import type { RunView } from '../../core/run/view.ts'
import type { Verb } from '../command.ts'
import type { Context } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import { readDuration, readValues } from '../params.ts'
import { renderPlan } from '../render/plan.ts'
import { nextCommands } from '../render/next-commands.ts'
import { renderRun, renderRunFacts } from '../render/run-view.ts'
import { waitForEnd } from '../wait.ts'

export interface RunOptions {
  readonly param?: readonly string[]
  readonly vars?: string
  readonly payload?: string
  readonly dryRun?: boolean
  readonly wait?: boolean
  readonly timeout?: string
  readonly mode?: ExecutionMode
  readonly force?: boolean
  readonly skipApproval?: boolean
  readonly idempotencyKey?: string
}

export const run: Verb<RunOptions> = async (context, [name = ''], options) => {
  const timeoutMs = readDuration('--timeout', options.timeout)
  const request = await readStart(context, options)
  const client = await context.client()
  if (options.dryRun === true) return dryRun(context, client, name, request)
  const view = await client.createRun(name, options.wait === true ? { ...request, wait: false } : request)
  if (options.wait !== true) {
    showStarted(context, view)
    return exitCode('ok')
  }
  const { colours, io } = context
  if (!context.json) context.show(view, (clean) => renderRunFacts(clean, { colours, now: io.now(), long: false }))
  return waitForEnd(context, view, timeoutMs)
}

/** What a command line says about the start of a run. */
export const readStart = async (context: Context, options: RunOptions): Promise<StartRequest> => {
  const objects = [
    ['--payload', options.payload],
    ['--vars', options.vars],
  ] as const
  const params = await readValues(context.io, objects, ['--param', options.param])
  return {
    ...(params === undefined ? {} : { params }),
    ...(options.mode === undefined ? {} : { executionMode: options.mode }),
    ...(options.force === true ? { force: true } : {}),
    ...(options.skipApproval === true ? { skipApproval: true } : {}),
    ...(options.idempotencyKey === undefined ? {} : { idempotencyKey: options.idempotencyKey }),
  }
}

export const dryRun = async (
  context: Context,
  client: SopClient,
  name: string,
  request: StartRequest,
): Promise<number> => {
  const plan = await client.planRun(name, request)
  context.show(plan, (clean) => renderPlan(clean, context.colours))
  return exitCode(plan.wouldStart ? 'ok' : 'failed')
}

const showStarted = (context: Context, view: RunView): void => {
  context.show(view, (clean) => renderRun(clean, { colours: context.colours, now: context.io.now(), long: false }))
  for (const command of nextCommands(view)) context.hint(command)
}
