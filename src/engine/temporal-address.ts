import { loadClientConnectConfig } from '@temporalio/envconfig'
import type { Config } from '../config.ts'
import { SopError } from '../core/errors.ts'
import type { Environment } from './find-temporal.ts'

/** How worker and client reach Temporal. The options fit both `Connection.connect` and `NativeConnection.connect`. */
export interface TemporalTarget {
  readonly address: string
  readonly namespace: string
  readonly connectionOptions: ConnectionOptions
  /** Temporal's own Web UI, where we know it. */
  readonly uiUrl?: string
  /** Whether the server is ours: it stops with the engine. */
  readonly embedded: boolean
}

/** What `@temporalio/envconfig` reads: address, API key, TLS and metadata. */
export type ConnectionOptions = ReturnType<typeof loadClientConnectConfig>['connectionOptions'] & {
  readonly address: string
}

/**
 * The server that `TEMPORAL_ADDRESS`, our config file or a Temporal profile names; undefined when none does, and one
 * has to be started. API key and TLS come from the profile and its variables.
 *
 * @throws SopError `invalid` when the profile cannot be read
 */
export function configuredTemporal(config: Config['temporal'], env: Environment): TemporalTarget | undefined {
  const profile = readProfile(env)
  const address = config.address ?? profile.connectionOptions.address
  if (address === undefined || address === '') return undefined
  return {
    address,
    namespace: profile.namespace ?? config.namespace,
    connectionOptions: { ...profile.connectionOptions, address },
    embedded: false,
  }
}

function readProfile(env: Environment): ReturnType<typeof loadClientConnectConfig> {
  const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const profile = env.TEMPORAL_PROFILE || undefined
  try {
    return loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(set), ...(profile && { profile }) })
  } catch (error) {
    throw new SopError(
      'invalid',
      `Cannot read Temporal profile "${profile ?? 'default'}": ${(error as Error).message}. See TEMPORAL_CONFIG_FILE and TEMPORAL_PROFILE`,
      {},
      error,
    )
  }
}
