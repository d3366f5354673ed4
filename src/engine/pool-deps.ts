import { join } from 'node:path'
import type { ActivityDeps, LogStore } from '../activities/deps.ts'
import { createSecrets } from '../adapters/secrets.ts'
import { createWarrantCheck } from '../client/signing.ts'
import type { WorkerClient } from '../client/worker-http.ts'
import type { Config } from '../config.ts'
import { SopError } from '../core/errors.ts'
import { type Pool, servedBy } from '../core/pool.ts'
import type { Environment } from './find-temporal.ts'

export interface PoolDepsOptions {
  readonly config: Config
  readonly env: Environment
  readonly pool: Pool
  readonly client: WorkerClient
  /** The key that the worker trusts. */
  readonly authority: string
  readonly logs: LogStore
}

/** What commands need on a worker that reaches no file of the engine. */
export const poolDeps = ({ config, env, pool, client, authority, logs }: PoolDepsOptions): ActivityDeps => {
  const isSigned = createWarrantCheck(authority)
  const served = servedBy(pool)
  const notHere = (what: string) => async (): Promise<never> => {
    throw new SopError(
      'internal',
      `Cannot ${what} on a worker of pool "${pool.name}": the worker of the engine does that`,
    )
  }
  return {
    audit: {
      // Events stay with the engine: should some come along all the same, they are not recorded here.
      append: async (_run, events) => (events[0]?.sequence ?? 1) - 1,
      read: async () => [],
      keepDefinition: notHere('keep a definition'),
      readDefinition: async () => undefined,
      keepSource: notHere('keep a source'),
      readSource: async () => undefined,
      remove: notHere('remove a record'),
      removal: async () => undefined,
      removeDefinitions: notHere('remove definitions'),
    },
    logs,
    secrets: createSecrets({ environment: env, files: config.secretFiles }),
    vault: {
      put: notHere('keep a param'),
      get: (runId, name) => client.secretParam(runId, name),
      drop: async () => {},
    },
    // A step runs only where its SOP says, and that is signed with it.
    verifyWarrant: (warrant) => served.includes(runsOnOf(warrant.executable) ?? '') && isSigned(warrant),
    pinSop: notHere('pin an SOP'),
    resolveFact: notHere('answer facts'),
    admission: {
      request: notHere('admit runs'),
      release: notHere('admit runs'),
      yield: notHere('admit runs'),
      findGone: notHere('look for runs'),
    },
    runEnds: { find: notHere('look for the ends of runs') },
    seal: () => {
      throw new SopError(
        'internal',
        `Cannot seal a start on a worker of pool "${pool.name}": only the engine has the key`,
      )
    },
    pools: { look: notHere('look at pools') },
    requestCancel: notHere('close runs'),
    envPassthrough: config.envPassthrough,
    workdir: config.workdir,
    scratchDir: join(config.workerDir, 'scratch'),
    killGraceMs: config.killGraceMs,
    environment: env,
  }
}

/** The pool that an executable was signed for; undefined: the engine's own worker. */
export const runsOnOf = (executable: unknown): string | undefined =>
  (executable as { readonly runsOn?: string } | null)?.runsOn
