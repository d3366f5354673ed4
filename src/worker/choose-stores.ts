import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import { followStores, openStores, type Stores } from './stores.ts'

/** What the stores need of the installation that they belong to. */
export interface Installation {
  /** Public half of its key, base64. */
  readonly authority: string
  /** 32 bytes that values of secret params are encrypted with, where they leave the host. */
  readonly vaultKey: Uint8Array
  /** Signs a text with its key. */
  readonly seal: (text: string) => string
}

export interface StoresOptions {
  readonly config: Config
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Log
  readonly installation: Installation
}

/**
 * The stores that the configuration names. `write`: for a worker. `follow`: for an API whose workers are elsewhere.
 * With files, the data directory of a worker must be this process's own (engine/data-dir.ts).
 */
export const chooseStores = async (how: 'write' | 'follow', options: StoresOptions): Promise<Stores> => {
  const { config, environment, log, installation } = options
  if (config.store === 'postgres') {
    // The driver is loaded by those who need it.
    const { openTeamStores } = await import('./team-stores.ts')
    return openTeamStores(how, options)
  }
  return how === 'write' ? openStores(config, environment, log, installation) : followStores(config, environment, log)
}
