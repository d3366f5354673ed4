import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { ArgumentSpec, CommandSpec, CommonOptions, OptionSpec } from './command.ts'
import { COMMON_OPTIONS } from './command.ts'
import { UsageError } from './exit-codes.ts'

/** One command line, understood. */
export interface Invocation {
  readonly spec: CommandSpec
  readonly args: readonly string[]
  readonly options: CommonOptions
}

export interface ProgramOptions {
  readonly name: string
  readonly summary: string
  readonly commands: readonly CommandSpec[]
  /** The whole program is this one command (`sop-list`): the command line names no verb. */
  readonly only?: CommandSpec
  readonly columns?: number | undefined
  readonly colour: boolean
}

/** What a command line came to. `text` is help that was asked for. */
export type Parsed =
  | { readonly kind: 'run'; readonly invocation: Invocation }
  | { readonly kind: 'text'; readonly text: string }

/**
 * Understands a command line without carrying it out.
 *
 * @throws UsageError with what is wrong and, for a near miss, what was probably meant.
 */
export const parseCommandLine = (options: ProgramOptions, argv: readonly string[]): Parsed => {
  const raw = options.commands.find(({ name, passesAll }) => passesAll === true && name === argv[0])
  if (raw !== undefined) return { kind: 'run', invocation: { spec: raw, args: argv.slice(1), options: {} } }
  const texts: string[] = []
  let invocation: Invocation | undefined
  const program = buildProgram(options, texts, (found) => (invocation = found))
  try {
    program.parse([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0 || error.code === 'commander.help') return { kind: 'text', text: texts.join('') }
    throw new UsageError(
      texts
        .join('')
        .replace(/^error: /, '')
        .trim() || error.message,
    )
  }
  if (invocation === undefined) return { kind: 'text', text: program.helpInformation() }
  return { kind: 'run', invocation }
}

/** The help of the program, or of one of its verbs. */
export const renderHelp = (options: ProgramOptions, verb?: string): string => {
  const texts: string[] = []
  const program = buildProgram(options, texts, () => {})
  const command = verb === undefined ? program : program.commands.find((each) => each.name() === verb)
  ;(command ?? program).outputHelp()
  return texts.join('')
}

const buildProgram = (options: ProgramOptions, texts: string[], found: (invocation: Invocation) => void): Command => {
  const program = new Command(options.name)
  configure(program, options, texts)
  if (options.only !== undefined) {
    describe(program, options.only, options.name, found)
    return program
  }
  program.description(options.summary).helpCommand(false).helpOption('-h, --help', 'show this help')
  program.usage('<verb> [options]')
  for (const option of COMMON_OPTIONS) program.addOption(toOption(option))
  for (const spec of options.commands) {
    const command = program.command(spec.name, { hidden: spec.hidden === true })
    configure(command, options, texts)
    describe(command, spec, `${options.name} ${spec.name}`, found)
  }
  return program
}

const configure = (command: Command, options: ProgramOptions, texts: string[]): void => {
  const columns = (): number => Math.min(options.columns ?? 100, 120)
  command.exitOverride()
  command.configureOutput({
    writeOut: (text) => void texts.push(text),
    writeErr: (text) => void texts.push(text),
    getOutHelpWidth: columns,
    getErrHelpWidth: columns,
    getOutHasColors: () => options.colour,
    getErrHasColors: () => options.colour,
  })
}

const describe = (
  command: Command,
  spec: CommandSpec,
  title: string,
  found: (invocation: Invocation) => void,
): void => {
  command
    .summary(spec.summary)
    .description(sentence(spec.summary) + (spec.details === undefined ? '' : `\n${spec.details}`))
  command.helpOption('-h, --help', 'show this help').allowExcessArguments(false)
  for (const arg of spec.args ?? []) command.addArgument(toArgument(arg))
  for (const option of [...(spec.options ?? []), ...COMMON_OPTIONS]) command.addOption(toOption(option))
  if (spec.examples.length > 0)
    command.addHelpText('after', `\nExamples:\n${spec.examples.map((line) => `  ${line}`).join('\n')}`)
  command.name(title.split(' ').at(-1) ?? title)
  command.action(() => {
    found({
      spec,
      args: command.processedArgs.flat().filter((arg): arg is string => typeof arg === 'string'),
      options: command.optsWithGlobals(),
    })
  })
}

const sentence = (summary: string): string => `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`

const toArgument = (spec: ArgumentSpec): Argument => {
  const argument = new Argument(spec.name, spec.summary)
  return spec.choices === undefined ? argument : argument.choices(spec.choices)
}

const toOption = (spec: OptionSpec): Option => {
  const option = new Option(spec.flags, spec.summary)
  const check = (value: string): string => checkChoice(spec, value)
  if (spec.repeats === true) {
    option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), check(value)])
  } else if (spec.choices !== undefined) option.argParser(check)
  if (spec.choices !== undefined) option.description = `${spec.summary} (${spec.choices.join(', ')})`
  return option
}

/** Accepts the synonyms of product.md 3: case, `-` for `_`, and `automatic`, `medium`. */
const checkChoice = ({ choices }: OptionSpec, value: string): string => {
  if (choices === undefined) return value
  const plain = value.trim().toLowerCase().replaceAll('-', '_')
  const known = SYNONYMS[plain] ?? plain
  if (choices.includes(known)) return known
  throw new InvalidArgumentError(`It takes: ${choices.join(', ')}.`)
}
const SYNONYMS: Readonly<Record<string, string>> = { automatic: 'auto', medium: 'normal' }
