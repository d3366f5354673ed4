import { setTimeout as sleep } from 'node:timers/promises'
import { Connection, isGrpcServiceError } from '@temporalio/client'
import { SopError } from '../core/errors.ts'
import type { Log } from '../log.ts'
import { ensureSearchAttributes, SEARCH_ATTRIBUTES, searchAttributeCommands } from './search-attributes.ts'
import type { TemporalTarget } from './temporal-address.ts'

/** gRPC status codes that we tell apart. */
const GRPC = {
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const

const REGISTER_TRIES = 6
const KNOWN_WITHIN_MS = 75_000
const KNOWN_LOOK_MS = 500

/** Triggers are deduplicated by closed runs for this long (engine.md 2). */
const LEAST_RETENTION_DAYS = 7

/**
 * Checks a server that was started by others: reachable, the namespace there, search attributes registered (added where
 * that is permitted, else a warning that holds the commands), retention long enough (else a warning).
 *
 * @throws SopError `unavailable`, `unauthenticated` or `not_found`, each with a way out
 */
export async function checkTemporal(target: TemporalTarget, log: Log, timeoutMs = 10_000): Promise<void> {
  const connection = await connectTo(target, timeoutMs)
  try {
    await connection.withDeadline(Date.now() + timeoutMs, async () => {
      await checkNamespace(connection, target, log)
      await registerAttributes(connection, target, log)
    })
    await waitUntilKnown(connection, target, log)
  } finally {
    await connection.close()
  }
}

/** Connects a client. @throws SopError `unavailable` or `unauthenticated`, each with a way out */
export async function connectTo(target: TemporalTarget, timeoutMs: number): Promise<Connection> {
  const { address, apiKey, tls, metadata } = target.connectionOptions
  const options = {
    address,
    connectTimeout: timeoutMs,
    ...(apiKey !== undefined && { apiKey: apiKey }),
    ...(tls !== undefined && { tls }),
    ...(metadata !== undefined && { metadata: metadata as Record<string, string> }),
  }
  try {
    return await Connection.connect(options)
  } catch (error) {
    if (codeOf(error) === GRPC.unauthenticated || codeOf(error) === GRPC.permissionDenied) throw refused(target, error)
    throw new SopError(
      'unavailable',
      `Cannot reach Temporal at "${address}": ${reasonOf(error)}. Start a server there, correct TEMPORAL_ADDRESS ` +
        'or the Temporal profile, or unset them to have one started here',
      { address },
      error,
    )
  }
}

async function checkNamespace(connection: Connection, target: TemporalTarget, log: Log): Promise<void> {
  const { namespace } = target
  try {
    const { config } = await connection.workflowService.describeNamespace({ namespace })
    const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400
    if (days > 0 && days < LEAST_RETENTION_DAYS) {
      const fix = `temporal operator namespace update --namespace ${namespace} --retention 720h`
      log.warn(
        `Namespace "${namespace}" keeps closed runs for ${days} days: a trigger that is delivered again later starts a second run. Raise it: ${fix}`,
      )
    }
  } catch (error) {
    if (codeOf(error) === GRPC.notFound) throw noNamespace(target, error)
    if (codeOf(error) === GRPC.unauthenticated) throw refused(target, error)
    if (codeOf(error) !== GRPC.permissionDenied && codeOf(error) !== GRPC.unimplemented) throw failed(target, error)
    log.warn(`Cannot check namespace "${namespace}": ${reasonOf(error)}. Going on without`)
  }
}

async function registerAttributes(connection: Connection, { namespace }: TemporalTarget, log: Log): Promise<void> {
  try {
    const added = await addTogether(connection, namespace)
    if (added.length > 0) log.info(`Registered search attributes in namespace "${namespace}"`, { added })
  } catch (error) {
    // Another process of ours registers them in the same moment.
    if (codeOf(error) === GRPC.alreadyExists) return
    if (error instanceof SopError) throw error
    const commands = searchAttributeCommands(namespace)
    log.warn(`Cannot register search attributes in namespace "${namespace}": ${reasonOf(error)}. An operator has to`, {
      commands,
    })
  }
}

/** Processes of one team start together: a server that hears of an attribute twice at once refuses one of the two. */
async function addTogether(connection: Connection, namespace: string): Promise<readonly string[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await ensureSearchAttributes(connection, namespace)
    } catch (error) {
      const mayPass = [GRPC.unavailable, GRPC.aborted, GRPC.internal].some((code) => code === codeOf(error))
      if (!mayPass || tries === REGISTER_TRIES) throw error
      await sleep(Math.random() * 500)
    }
  }
}

/**
 * A server finds out about new attributes some seconds later, with Elasticsearch up to a minute, and until then refuses the
 * start of a run that has them.
 */
async function waitUntilKnown(connection: Connection, { namespace }: TemporalTarget, log: Log): Promise<void> {
  const query = Object.keys(SEARCH_ATTRIBUTES)
    .map((name) => `${name} IS NULL`)
    .join(' AND ')
  const giveUpAt = Date.now() + KNOWN_WITHIN_MS
  for (let told = false; ; told = true) {
    try {
      await connection.withDeadline(Date.now() + 5_000, () =>
        connection.workflowService.countWorkflowExecutions({ namespace, query }),
      )
      return
    } catch (error) {
      // Whoever may not count finds out at the first start.
      if (codeOf(error) !== GRPC.invalidArgument) return
      if (!told) log.info(`Waiting for Temporal to know the search attributes of namespace "${namespace}"`)
      if (Date.now() > giveUpAt) {
        log.warn(`Temporal does not know the search attributes of namespace "${namespace}": ${reasonOf(error)}`)
        return
      }
      await sleep(KNOWN_LOOK_MS)
    }
  }
}

function noNamespace({ address, namespace }: TemporalTarget, cause: unknown): SopError {
  return new SopError(
    'not_found',
    `Cannot use namespace "${namespace}": Temporal at "${address}" has none of that name. Create it ` +
      `(temporal operator namespace create --namespace ${namespace} --retention 720h) or name another with TEMPORAL_NAMESPACE`,
    { address, namespace },
    cause,
  )
}

function refused({ address, namespace }: TemporalTarget, cause: unknown): SopError {
  return new SopError(
    'unauthenticated',
    `Cannot use Temporal at "${address}" with namespace "${namespace}": it refuses our credentials (${reasonOf(cause)}). ` +
      'Check TEMPORAL_API_KEY, the TEMPORAL_TLS_… variables or the Temporal profile',
    { address, namespace },
    cause,
  )
}

function failed({ address, namespace }: TemporalTarget, cause: unknown): SopError {
  return new SopError(
    'unavailable',
    `Cannot use namespace "${namespace}" of Temporal at "${address}": ${reasonOf(cause)}`,
    {},
    cause,
  )
}

const codeOf = (error: unknown): number | undefined => {
  if (isGrpcServiceError(error)) return error.code
  const { cause } = error as { cause?: unknown }
  return isGrpcServiceError(cause) ? cause.code : undefined
}

function reasonOf(error: unknown): string {
  const { details, message } = error as Error & { details?: unknown }
  return isGrpcServiceError(error) && typeof details === 'string' && details !== '' ? details : message
}
