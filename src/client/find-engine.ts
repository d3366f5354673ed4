// find-engine.ts: where the engine is and by which token it is asked, from the environment and engine.json.

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { SopError } from '../core/errors.ts'

/** What a running engine writes to `<dataDir>/engine.json` (rulings 36). */
export interface EngineFile {
  readonly url: string
  readonly pid?: number
  readonly tokenPath?: string
  readonly temporal?: { readonly address?: string; readonly uiUrl?: string; readonly namespace?: string }
}

export interface EngineLocation {
  readonly url: string
  readonly token?: string
  /** Where the URL came from. */
  readonly source: 'option' | 'environment' | 'engine.json' | 'default'
}

export interface FindEngineOptions {
  /** Wins over SOP_URL. */
  readonly url?: string | undefined
  /** Wins over SOP_TOKEN. */
  readonly token?: string | undefined
  /** Wins over SOP_DATA_DIR. */
  readonly dataDir?: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What relative paths start from. */
  readonly workdir: string
}

const DEFAULT_URL = 'http://127.0.0.1:7780'

/**
 * The URL: option, SOP_URL, engine.json of the data directory, the default port. The token: option, SOP_TOKEN, and for the
 * engine of that data directory (or any on loopback) its local token file. Reads two small files at most.
 *
 * @throws SopError `invalid` when engine.json or the token file is there and cannot be read.
 */
export function findEngine(options: FindEngineOptions): EngineLocation {
  const { environment, workdir } = options
  const dataDir = resolve(workdir, options.dataDir ?? set(environment.SOP_DATA_DIR) ?? '.sop')
  const engine = readEngine(dataDir)
  const given = set(options.url) ?? set(environment.SOP_URL)
  const url = given ?? engine?.url ?? DEFAULT_URL
  const source = set(options.url) ? 'option' : given ? 'environment' : engine ? 'engine.json' : 'default'
  const token = set(options.token) ?? set(environment.SOP_TOKEN)
  if (token !== undefined) return { url, token, source }
  // The local token opens this machine's engine only: it is not for sending to wherever SOP_URL points.
  if (given !== undefined && !isLoopback(given) && given !== engine?.url) return { url, source }
  const local = readToken(engine?.tokenPath === undefined ? join(dataDir, 'token') : resolve(dataDir, engine.tokenPath))
  return local === undefined ? { url, source } : { url, token: local, source }
}

/** What the engine of this data directory wrote about itself; `undefined` when none ever ran there. */
export function readEngine(dataDir: string): EngineFile | undefined {
  const path = join(dataDir, 'engine.json')
  const text = readIfThere(path)
  if (text === undefined) return undefined
  let tree: unknown
  try {
    tree = JSON.parse(text)
  } catch (error) {
    throw new SopError(
      'invalid',
      `Cannot read "${path}": it is not JSON. Restart the engine, or set SOP_URL`,
      {},
      error,
    )
  }
  if (typeof (tree as EngineFile | null)?.url !== 'string') {
    throw new SopError('invalid', `Cannot read "${path}": it has no "url". Restart the engine, or set SOP_URL`)
  }
  return tree as EngineFile
}

function readToken(path: string): string | undefined {
  return set(readIfThere(path)?.trim())
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new SopError(
      'invalid',
      `Cannot read "${path}": ${code}. Is it the file of another user? SOP_TOKEN gives your own token`,
      {},
      error,
    )
  }
}

function isLoopback(url: string): boolean {
  try {
    return ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname)
  } catch {
    return false
  }
}

// An empty variable is an unset one, as in most tools.
const set = (value: string | undefined): string | undefined => (value === undefined || value === '' ? undefined : value)
