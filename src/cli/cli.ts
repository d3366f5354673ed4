import { SopError, codeOf } from '../core/errors.ts'
import type { CommandSpec, CommonOptions } from './command.ts'
import { COMMANDS } from './commands.ts'
import { createContext } from './context.ts'
import { UsageError, exitCode, exitCodeOf } from './exit-codes.ts'
import { type Io, hasColour } from './io.ts'
import type { Ports } from './ports.ts'
import { type ProgramOptions, parseCommandLine } from './program.ts'
import { cleanText, toJson } from './render/clean.ts'

const SUMMARY =
  'Carries out Standard Operating Procedures written in Markdown: durable runs, approval gates, a record that can be checked.'

export interface CliDeps {
  readonly io: Io
  readonly ports: Ports
}

/** The program `sop`, or with `only` one of the `sop-*` commands. */
export interface Cli {
  /** Carries out one command line. Never throws: what goes wrong is said on stderr and by the exit code. */
  run(argv: readonly string[]): Promise<number>
}

export const createCli = ({ io, ports }: CliDeps, only?: CommandSpec): Cli => ({
  async run(argv) {
    let common: CommonOptions = {}
    try {
      const parsed = parseCommandLine(programOptions(io, only), versionAsVerb(argv, only))
      if (parsed.kind === 'text') {
        io.out.write(parsed.text)
        return exitCode('ok')
      }
      const { spec, args, options } = parsed.invocation
      common = options
      const verb = await spec.load()
      return (
        (await verb(createContext(io, ports, { ...common, name: only?.name ?? 'sop' }), args, options as never)) ??
        exitCode('ok')
      )
    } catch (error) {
      return report(
        io,
        only?.name ?? 'sop',
        error,
        common.json === true || argv.includes('--json'),
        helpFor(argv, only),
      )
    }
  },
})

/** How the command lines of this program are understood and explained. */
export const programOptions = (io: Io, only?: CommandSpec): ProgramOptions => ({
  name: only?.name ?? 'sop',
  summary: SUMMARY,
  commands: COMMANDS,
  columns: io.out.columns,
  colour: hasColour(io.env, io.isTTY),
  ...(only === undefined ? {} : { only }),
})

const versionAsVerb = (argv: readonly string[], only: CommandSpec | undefined): readonly string[] =>
  only === undefined && (argv[0] === '--version' || argv[0] === '-V') ? ['version', ...argv.slice(1)] : argv

/** Where what was typed is explained: at the verb, if it is one. */
const helpFor = (argv: readonly string[], only: CommandSpec | undefined): string => {
  if (only !== undefined) return `${only.name} --help`
  const verb = argv.find((word) => !word.startsWith('-'))
  return COMMANDS.some(({ name }) => name === verb) ? `sop help ${verb}` : 'sop help'
}

const report = (io: Io, name: string, error: unknown, json: boolean, help: string): number => {
  const code = exitCodeOf(error)
  const message = messageOf(error, io.env)
  if (json)
    io.out.write(
      `${toJson({ error: { code: error instanceof UsageError ? 'usage' : codeOf(error), message, ...detailsOf(error) } })}\n`,
    )
  io.err.write(`${cleanText(`${name}: ${message}`)}\n`)
  if (error instanceof UsageError) io.err.write(`See: ${help}\n`)
  return code
}

const detailsOf = (error: unknown): object =>
  error instanceof SopError && Object.keys(error.details).length > 0 ? { details: error.details } : {}

const messageOf = (error: unknown, env: Io['env']): string => {
  if (error instanceof SopError || error instanceof UsageError) return error.message
  const text = error instanceof Error ? error.message : String(error)
  const stack = env.SOP_LOG_LEVEL === 'debug' && error instanceof Error ? `\n${error.stack ?? ''}` : ''
  return `Cannot finish: ${text}. This is a defect; SOP_LOG_LEVEL=debug shows where${stack}`
}
