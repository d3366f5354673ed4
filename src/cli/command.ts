import type { Context } from './context.ts'

/** What a verb does. Returns its exit code; nothing means 0. */
export type Verb<Options = Readonly<Record<string, never>>> = (
  context: Context,
  args: Arguments,
  options: Options & CommonOptions,
) => Promise<number | undefined>

/** The arguments by position; a variadic last one is spread. */
export type Arguments = readonly string[]

/** Options that every verb has. */
export interface CommonOptions {
  readonly json?: boolean
  readonly url?: string
}

/** One option as data: the program, its help, its completion and its page are made from it. */
export interface OptionSpec {
  /** As commander reads it: `-f, --follow`, `--param <key=value>`, `--no-wait`. */
  readonly flags: string
  readonly summary: string
  readonly choices?: readonly string[]
  /** May be given several times; the verb gets a list. */
  readonly repeats?: true
  /** What the shell offers as values. */
  readonly completes?: 'sop' | 'run' | 'file'
}

export interface ArgumentSpec {
  /** As commander reads it: `<run>`, `[step]`, `[what...]`. */
  readonly name: string
  readonly summary: string
  readonly choices?: readonly string[]
  readonly completes?: 'sop' | 'run' | 'file' | 'verb' | 'schedule'
}

/** One verb as data, cheap to load; `load` brings what it does. */
export interface CommandSpec {
  readonly name: string
  readonly summary: string
  /** Shown below the options in its help. */
  readonly details?: string
  readonly args?: readonly ArgumentSpec[]
  readonly options?: readonly OptionSpec[]
  readonly examples: readonly string[]
  readonly hidden?: true
  /** Passes every word on as an argument, options included. */
  readonly passesAll?: true
  readonly load: () => Promise<Verb<never>>
}

/** Options of every verb. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { flags: '--json', summary: 'print one JSON value on stdout and nothing else' },
  { flags: '--url <url>', summary: 'the engine to ask (default: SOP_URL, else the local one)' },
]
