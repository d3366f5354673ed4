import { isAbsolute, relative } from 'node:path'
import type { ReadFile } from './environment.ts'
import { type ConfigProblem, NO_SOURCE, type Source } from './source.ts'

/** The files that are there to be read, and what went wrong with them. */
export class Files {
  readonly problems: ConfigProblem[] = []
  readonly #cwd: string
  readonly #readFile: ReadFile

  constructor(cwd: string, readFile: ReadFile) {
    this.#cwd = cwd
    this.#readFile = readFile
  }

  /** How messages call a file: relative where it lies below the working directory. */
  label(path: string): string {
    const short = relative(this.#cwd, path)
    return short.startsWith('..') || isAbsolute(short) ? path : short
  }

  attempt<T>(path: string, read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      const label = this.label(path)
      this.problems.push({
        severity: 'error',
        origin: label,
        message: `Cannot read config "${label}": ${(error as Error).message}`,
      })
      return undefined
    }
  }

  /** The file as a source of settings; none when there is no such file, unless it `mustExist`. */
  source(
    path: string,
    parse: (text: string, file: { path: string; label: string }) => Source,
    mustExist = false,
  ): Source {
    const before = this.problems.length
    const text = this.attempt(path, () => this.#readFile(path))
    if (text !== undefined) return parse(text.replace(/^\uFEFF/, ''), { path, label: this.label(path) })
    if (mustExist && this.problems.length === before) this.attempt(path, () => this.#missing())
    return NO_SOURCE
  }

  #missing(): never {
    throw new Error('there is no such file. Create it, or unset SOP_CONFIG')
  }
}
