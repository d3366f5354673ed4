import { readFile } from 'node:fs/promises'
import type { Secrets } from '../activities/deps.ts'
import { SopError } from '../core/errors.ts'

export interface SecretsOptions {
  /** The worker's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Secret name → file that holds its value (config `secret_files`). A file goes before the environment. */
  readonly files: Readonly<Record<string, string>>
}

/** Secrets from the worker's environment, or from files such as a container's secret mounts. Read anew at each use. */
export const createSecrets = ({ environment, files }: SecretsOptions): Secrets => ({
  get: async (name) => {
    const file = Object.hasOwn(files, name) ? files[name] : undefined
    if (file !== undefined) return fromFile(name, file)
    const value = Object.hasOwn(environment, name) ? environment[name] : undefined
    if (value !== undefined && value !== '') return value
    const state = value === undefined ? 'is not set' : 'is empty'
    throw missing(
      name,
      `"${name}" ${state} in the worker's environment, and no file is configured for it`,
      `Set ${name} where the worker is started, or name a file under [secret_files] in the config`,
    )
  },
})

const fromFile = async (name: string, file: string): Promise<string> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'ENOENT' ? 'does not exist' : `cannot be read (${error.code ?? error.message})`
    throw missing(
      name,
      `its file "${file}" ${reason}`,
      'Correct the path under [secret_files] in the config, or the file',
    )
  })
  // Editors and `echo` end a file with a line end that is no part of the value.
  const value = text.replace(/\r?\n$/, '')
  if (value !== '') return value
  throw missing(name, `its file "${file}" is empty`, 'Write the value into it')
}

const missing = (name: string, reason: string, help: string): SopError =>
  new SopError('invalid', `Cannot read secret "${name}": ${reason}. ${help}`, { secret: name })
