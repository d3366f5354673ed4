import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'

/** Names to values, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The text of a file, or undefined when there is none. Throws when it is there and cannot be read. */
export type ReadFile = (path: string) => string | undefined

/** The environment of this process. Every other module is handed what it needs of it. */
export const processEnvironment = (): Environment => process.env

/** Reads a UTF-8 file without its BOM. @throws Error with a reason for people when it is not readable or not UTF-8 */
export const readTextFile: ReadFile = (path) => {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === 'EACCES' || code === 'EPERM') throw new Error('this user may not read it', { cause: error })
    if (code === 'EISDIR') throw new Error('it is a folder', { cause: error })
    throw error
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new Error('it is not UTF-8 text', { cause })
  }
}

/** The environment with `.env` of the working directory below it: the real environment wins (rulings 36). */
export interface MergedEnvironment {
  /** Variables that are set to something; an empty value counts as not set. */
  readonly values: Environment
  /** `env NAME`, or `.env NAME` for what only the file sets. */
  originOf(name: string): string
}

/** @throws Error when `.env` is there and cannot be read */
export function mergeEnvironment(env: Environment, cwd: string, readFile: ReadFile = readTextFile): MergedEnvironment {
  const file = parseEnv((readFile(join(cwd, '.env')) ?? '').replace(/^\uFEFF/, ''))
  const merged: Record<string, string> = {}
  for (const [name, value] of Object.entries({ ...file, ...env })) {
    if (value !== undefined && value.trim() !== '') merged[name] = value
  }
  return { values: merged, originOf: (name) => `${env[name] === undefined ? '.env' : 'env'} ${name}` }
}
