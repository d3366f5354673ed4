// client-config.ts: the little that a command needs to find its engine. It reads the same sources as `readConfig` without
// loading the schema, because a command has to be there at once; what else is wrong with the files, `sop config` says.

import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { SopError } from '../core/errors.ts'
import { type Environment, mergeEnvironment, processEnvironment, type ReadFile, readTextFile } from './environment.ts'

export interface ClientConfig {
  /** Absolute. */
  readonly dataDir: string
  /** Absolute. */
  readonly sopDir: string
  readonly url?: string
  readonly token?: string
  /** The environment with `.env` below it. */
  readonly environment: Environment
}

export interface ClientConfigSources {
  readonly env?: Environment
  readonly cwd?: string
  readonly readFile?: ReadFile
}

/** Reads `SOP_DATA_DIR`, `SOP_DIR`, `SOP_URL` and `SOP_TOKEN` with their keys in `sop.config.toml`. @throws SopError `invalid` */
export async function readClientConfig(sources: ClientConfigSources = {}): Promise<ClientConfig> {
  const { env = processEnvironment(), cwd = process.cwd(), readFile = readTextFile } = sources
  const { values } = readable('.env', () => mergeEnvironment(env, cwd, readFile))
  const file = await readSettingsFile(values['SOP_CONFIG'], cwd, readFile)
  const path = (variable: string, key: string, standard: string): string => {
    const fromFile = file.get(key)
    const [base, value] =
      values[variable] === undefined && fromFile !== undefined
        ? [file.folder, fromFile]
        : [cwd, values[variable] ?? standard]
    return /^~(?=\/|$)/.test(value) ? resolve(values['HOME'] ?? homedir(), value.slice(2)) : resolve(base, value.trim())
  }
  const url = values['SOP_URL'] ?? file.get('url')
  const token = values['SOP_TOKEN'] ?? file.get('token')
  if (url !== undefined) checkUrl(url)
  return {
    dataDir: path('SOP_DATA_DIR', 'data_dir', '.sop'),
    sopDir: path('SOP_DIR', 'sop_dir', 'sops'),
    ...(url === undefined ? {} : { url: url.trim() }),
    ...(token === undefined ? {} : { token: token.trim() }),
    environment: values,
  }
}

interface SettingsFile {
  readonly folder: string
  get(key: string): string | undefined
}

async function readSettingsFile(chosen: string | undefined, cwd: string, readFile: ReadFile): Promise<SettingsFile> {
  const path = resolve(cwd, chosen ?? 'sop.config.toml')
  const label = chosen ?? 'sop.config.toml'
  const text = readable(label, () => readFile(path))
  if (text === undefined && chosen !== undefined) {
    throw new SopError(
      'invalid',
      `Cannot read config "${chosen}": there is no such file. Create it, or unset SOP_CONFIG`,
    )
  }
  const table = text === undefined ? {} : await parseTable(text, label)
  const folder = join(path, '..')
  const camel = (key: string): string => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
  return {
    folder,
    get: (key) => {
      const value = table[key] ?? table[camel(key)]
      return typeof value === 'string' && value.trim() !== '' ? value : undefined
    },
  }
}

async function parseTable(text: string, label: string): Promise<Readonly<Record<string, unknown>>> {
  const { parse } = await import('smol-toml')
  return readable(label, () => parse(text.replace(/^\uFEFF/, '')))
}

function readable<T>(label: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new SopError('invalid', `Cannot read config "${label}": ${(error as Error).message.trimEnd()}`, {}, error)
  }
}

function checkUrl(url: string): void {
  if (/^https?:\/\//i.test(url.trim()) && URL.canParse(url.trim())) return
  throw new SopError('invalid', `Cannot use SOP_URL "${url}": expected an http(s) address, e.g. http://127.0.0.1:7780`)
}
