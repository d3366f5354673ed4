import type { ArgumentSpec, CommandSpec, OptionSpec, Verb } from '../command.ts'
import { COMMON_OPTIONS } from '../command.ts'
import { COMMANDS } from '../commands.ts'
import type { Context } from '../context.ts'

type Completes = NonNullable<ArgumentSpec['completes']>

/** Candidates for the last of the words, which may be empty. Says nothing rather than something wrong, and never fails. */
export const completeWord: Verb = async (context, words) => {
  const current = words.at(-1) ?? ''
  const found = (await candidatesFor(context, words.slice(0, -1), current)).filter((each) => each.startsWith(current))
  context.show(found, (clean) => clean.filter((each) => !/\s/.test(each)).join('\n'))
  return undefined
}

const candidatesFor = async (
  context: Context,
  before: readonly string[],
  current: string,
): Promise<readonly string[]> => {
  const spec = COMMANDS.find(({ name }) => name === before[0])
  if (before.length === 0)
    return current.startsWith('-') ? ['--help', '--version', ...flagsOf(COMMON_OPTIONS)] : verbNames()
  if (spec === undefined) return []
  const options = [...(spec.options ?? []), ...COMMON_OPTIONS]
  const valueOf = takesValue(options, before.at(-1))
  if (valueOf !== undefined) return valueOf.choices ?? ask(context, valueOf.completes)
  if (current.startsWith('-')) return [...flagsOf(options), '--help']
  const argument = argumentAt(spec, options, before.slice(1))
  return argument?.choices ?? ask(context, argument?.completes)
}

const verbNames = (): readonly string[] => COMMANDS.filter(({ hidden }) => hidden !== true).map(({ name }) => name)

const flagsOf = (options: readonly OptionSpec[]): readonly string[] =>
  options.map(({ flags }) => /--[\w-]+/.exec(flags)?.[0] ?? '').filter((flag) => flag !== '')

const takesValue = (options: readonly OptionSpec[], word: string | undefined): OptionSpec | undefined =>
  options.find(
    ({ flags }) =>
      flags.includes('<') &&
      word !== undefined &&
      flags
        .replace(/<.*/, '')
        .split(/[\s,]+/)
        .includes(word),
  )

const argumentAt = (
  spec: CommandSpec,
  options: readonly OptionSpec[],
  words: readonly string[],
): ArgumentSpec | undefined => {
  const given = words.filter(
    (word, index) => !word.startsWith('-') && takesValue(options, words[index - 1]) === undefined,
  )
  const args = spec.args ?? []
  return args[given.length] ?? (args.at(-1)?.name.includes('...') === true ? args.at(-1) : undefined)
}

const ask = async (context: Context, what: Completes | undefined): Promise<readonly string[]> => {
  if (what === 'verb') return [...verbNames(), 'exit-codes', 'environment']
  if (what === undefined || what === 'file') return []
  try {
    const client = await context.client()
    if (what === 'schedule') return (await client.listSchedules()).map(({ id }) => id)
    if (what === 'sop') return (await client.listSops()).map(({ name }) => name)
    return (await client.listRuns({ limit: 50 })).map(({ runId }) => runId)
  } catch {
    return []
  }
}
