import type { NewSop, SopClient } from '../../client/client.ts'
import { EXECUTION_MODES, type ExecutionMode, PRIORITIES } from '../../core/definition.ts'
import { SopError } from '../../core/errors.ts'
import type { Verb } from '../command.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../exit-codes.ts'
import { isInteractive } from '../io.ts'
import { sopCommand } from '../render/shell-word.ts'

export interface CreateOptions {
  readonly description?: string
  readonly mode?: ExecutionMode
  readonly priority?: string
  readonly singleFile?: boolean
}

export const create: Verb<CreateOptions> = async (context, [name], options) => {
  const sop = await complete(context, name, options)
  const created = await write(context, sop)
  context.show(created, (clean) => `Created SOP "${clean.name}":\n${clean.files.map((file) => `  ${file}`).join('\n')}`)
  context.hint(`Edit it, then: ${sopCommand('validate', created.name)} and ${sopCommand('run', created.name)}`)
  return undefined
}

/** Asks on a terminal for what the command line does not say. */
const complete = async (context: Context, name: string | undefined, options: CreateOptions): Promise<NewSop> => {
  const asks = isInteractive(context.io) && !context.json
  const ask = async (question: string): Promise<string | undefined> =>
    asks ? (await context.io.ask(question))?.trim() || undefined : undefined
  const chosen = name ?? (await ask('Name: '))
  if (chosen === undefined) throw new UsageError('Cannot create an SOP: it needs a NAME, e.g. sop create rotate-keys')
  const description = options.description ?? (await ask('What is it for? '))
  const mode = options.mode ?? (await choose(ask, 'Mode', EXECUTION_MODES, 'supervised'))
  const priority = options.priority ?? (await choose(ask, 'Priority', PRIORITIES, 'normal'))
  return {
    name: chosen,
    dialect: options.singleFile === true ? 'D' : 'A',
    ...(description === undefined ? {} : { description }),
    ...(mode === undefined ? {} : { mode }),
    ...(priority === undefined ? {} : { priority }),
  }
}

const choose = async <T extends string>(
  ask: (question: string) => Promise<string | undefined>,
  what: string,
  choices: readonly T[],
  standard: T,
): Promise<T | undefined> => {
  const answer = await ask(`${what} (${choices.join(', ')}) [${standard}]: `)
  const plain = answer?.toLowerCase().replaceAll('-', '_')
  const found = choices.find((choice) => choice === plain)
  if (answer !== undefined && found === undefined)
    throw new UsageError(`Cannot use ${what.toLowerCase()} "${answer}": expected ${choices.join(', ')}`)
  return found
}

type Created = Awaited<ReturnType<SopClient['createSop']>>

/** By the engine, which knows who may; without one into the SOP directory of this machine, whose files are the user's own. */
const write = async (context: Context, sop: NewSop): Promise<Created> => {
  try {
    return await (await context.client()).createSop(sop)
  } catch (error) {
    const isElsewhere = context.at.url !== undefined || (context.io.env.SOP_URL ?? '') !== ''
    if (!(error instanceof SopError) || error.code !== 'unavailable' || isElsewhere) throw error
    return (await context.ports.files()).create(sop)
  }
}
