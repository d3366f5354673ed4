// find-engine.ts: where the engine is and by which token it is asked, from what was given and engine.json.

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
}

export interface FindEngineOptions {
  /** Absolute. Where `engine.json` and the local token are. */
  readonly dataDir: string
  /** The URL that was asked for (SOP_URL); absent: the engine of the data directory. */
  readonly url?: string | undefined
  /** The token that was given (SOP_TOKEN). */
  readonly token?: string | undefined
}

const DEFAULT_URL = 'http://127.0.0.1:7780'

/**
 * The URL: as given, else of engine.json, else the default port. The token: as given, else the local token of the data
 * directory, which goes to an engine on this machine only. Reads two small files at most.
 *
 * @throws SopError `invalid` when engine.json or the token file is there and cannot be read.
 */
export function findEngine({ dataDir, url: givenUrl, token: givenToken }: FindEngineOptions): EngineLocation {
  const given = set(givenUrl)
  const token = set(givenToken)
  if (given !== undefined && token !== undefined) return { url: given, token }
  const engine = readEngine(dataDir)
  const url = given ?? engine?.url ?? DEFAULT_URL
  if (token !== undefined) return { url, token }
  // The local token is not for sending to wherever SOP_URL points.
  if (!isLoopback(url) && url !== engine?.url) return { url }
  const local = readToken(engine?.tokenPath === undefined ? join(dataDir, 'token') : resolve(dataDir, engine.tokenPath))
  return local === undefined ? { url } : { url, token: local }
}

/** What the engine of this data directory wrote about itself; `undefined` when none ever ran there. */
function readEngine(dataDir: string): EngineFile | undefined {
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
