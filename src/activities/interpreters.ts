import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

// interpreters.ts: which program runs a fenced block, and how it gets the script. A script is never an argument: `ps`
// shows those to everybody.

/**
 * `file`: the script's path is the last argument, so that `$0` and error messages name it.
 * `stdin`: the program reads the script as its input, so that imports are found from the working directory; by the time
 * the script runs, its stdin is at its end.
 */
type Feed = 'file' | 'stdin'

interface Interpreter {
  readonly programs: readonly string[]
  readonly args: readonly string[]
  readonly feed: Feed
  readonly extension: string
  readonly isShell?: true
}

const shell = (name: string, args: readonly string[]): Interpreter => ({
  programs: [name],
  args,
  feed: 'file',
  extension: name,
  isShell: true,
})

const INTERPRETERS: Readonly<Record<string, Interpreter>> = {
  bash: shell('bash', ['--noprofile', '--norc', '-eo', 'pipefail']),
  sh: shell('sh', ['-e']),
  dash: shell('dash', ['-e']),
  zsh: shell('zsh', ['-f', '-e', '-o', 'pipefail']),
  ksh: shell('ksh', ['-e', '-o', 'pipefail']),
  fish: shell('fish', ['--no-config']),
  python: { programs: ['python3', 'python'], args: ['-'], feed: 'stdin', extension: 'py' },
  node: { programs: ['node'], args: ['-'], feed: 'stdin', extension: 'js' },
  ruby: { programs: ['ruby'], args: ['-'], feed: 'stdin', extension: 'rb' },
  perl: { programs: ['perl'], args: ['-'], feed: 'stdin', extension: 'pl' },
  php: { programs: ['php'], args: [], feed: 'stdin', extension: 'php' },
  lua: { programs: ['lua'], args: ['-'], feed: 'stdin', extension: 'lua' },
  deno: { programs: ['deno'], args: ['run', '-'], feed: 'stdin', extension: 'ts' },
  bun: { programs: ['bun'], args: ['run', '-'], feed: 'stdin', extension: 'ts' },
  pwsh: {
    programs: ['pwsh', 'powershell'],
    args: ['-NoLogo', '-NoProfile', '-NonInteractive', '-File'],
    feed: 'file',
    extension: 'ps1',
  },
}

const SYNONYMS: Readonly<Record<string, string>> = {
  shell: 'bash',
  python3: 'python',
  py: 'python',
  js: 'node',
  javascript: 'node',
  rb: 'ruby',
  powershell: 'pwsh',
}

/** How one block is run. */
export interface Invocation {
  readonly program: string
  /** Without the script's path, which `feed: 'file'` appends. */
  readonly args: readonly string[]
  readonly feed: Feed
  readonly extension: string
}

export type InvocationResult =
  | { readonly ok: true; readonly invocation: Invocation }
  | { readonly ok: false; readonly error: string }

/**
 * The program for a block in `language`. The step's `shell` setting replaces the program of shell blocks alone: a name, a
 * path, or a command line with arguments, which then stand for the usual ones.
 */
export const invocationOf = (language: string, shellSetting: string | undefined, path: string): InvocationResult => {
  const fence = interpreterOf(language)
  if (fence.isShell !== true || shellSetting === undefined) return found(fence, path)
  const [program = '', ...args] = shellSetting.trim().split(/\s+/)
  const known = interpreterOf(program.slice(program.lastIndexOf('/') + 1))
  return found({ ...known, programs: [program], args: args.length > 0 ? args : known.args, feed: known.feed }, path)
}

const interpreterOf = (language: string): Interpreter => {
  const name = SYNONYMS[language] ?? language
  // Any other program is given the file, as a `#!` line would do.
  return Object.hasOwn(INTERPRETERS, name)
    ? (INTERPRETERS[name] as Interpreter)
    : { programs: [name], args: [], feed: 'file', extension: 'txt' }
}

const found = ({ programs, args, feed, extension }: Interpreter, path: string): InvocationResult => {
  for (const name of programs) {
    const program = findProgram(name, path)
    if (program !== undefined) return { ok: true, invocation: { program, args, feed, extension } }
  }
  const names = programs.map((name) => `"${name}"`).join(' or ')
  return {
    ok: false,
    error: `Cannot start ${names}: no such program on this worker (PATH is "${path}"). Install it, or write the block in another language`,
  }
}

const findProgram = (name: string, path: string): string | undefined => {
  if (name === '') return undefined
  if (name.includes('/')) return isAbsolute(name) && isProgram(name) ? name : undefined
  return path
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, name))
    .find(isProgram)
}

const isProgram = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
