import type { Verb } from '../command.ts'
import type { Context } from '../context.ts'
import { exitCode } from '../exit-codes.ts'
import { nextCommands } from '../render/next-commands.ts'
import { renderRun } from '../render/run-view.ts'
import type { RunView } from '../../core/run/view.ts'
import { type RunOptions, dryRun, readStart } from '../verbs/run.ts'
import { waitForRest } from './rest.ts'

export const execute: Verb<Omit<RunOptions, 'wait'> & { readonly wait?: boolean }> = async (
  context,
  [name = ''],
  options,
) => {
  const request = await readStart(context, options)
  const client = await context.client()
  if (options.dryRun === true) return dryRun(context, client, name, request)
  const started = await client.createRun(name, request)
  // At once: who stops the waiting, or pipes it into a file, must know which run goes on.
  if (!context.json) context.show(started, (clean) => `Run ID: ${clean.runId}`)
  const { view, code } =
    options.wait === false ? { view: started, code: exitCode('ok') } : await waitForRest(context, started)
  showRun(context, view, { withoutId: true })
  return code
}

/** The run as `sop status` shows it, and what can be done about it. */
export const showRun = (context: Context, view: RunView, look: { readonly withoutId?: boolean } = {}): void => {
  context.show(view, (clean) =>
    renderRun(clean, { colours: context.colours, now: context.io.now(), long: false, ...look }),
  )
  for (const command of nextCommands(view)) context.hint(command)
}
