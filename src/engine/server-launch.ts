import { open, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'
import { SopError } from '../core/errors.ts'
import type { Progress } from './console.ts'
import { DB_FILE } from './db-version.ts'
import type { Environment } from './find-temporal.ts'
import { isListening } from './ports.ts'
import { ensureSearchAttributes } from './search-attributes.ts'
import { type ServerPorts, serverArguments } from './server-flags.ts'
import { type ServerProcess, spawnServer } from './server-process.ts'
import type { TemporalBinary } from './temporal-binary.ts'

export interface LaunchOptions {
  readonly binary: TemporalBinary
  /** The server's own folder: log, records and, unless `inMemory`, the database. */
  readonly folder: string
  readonly env: Environment
  readonly inMemory?: boolean
  readonly namespace: string
  /** How long closed runs are kept. */
  readonly retentionDays: number
  readonly progress: Progress
  readonly signal?: AbortSignal
  /** The time that a start may take before it is given up. Default 120,000. */
  readonly readyTimeoutMs?: number
}

export type Launch =
  | { readonly ok: true; readonly server: ServerProcess }
  | { readonly ok: false; readonly reason: string }

/** Starts one server process and waits until its namespace can be used; a process that does not get there is ended. */
export async function launchServer(ports: ServerPorts, options: LaunchOptions): Promise<Launch> {
  const { folder, namespace, binary, inMemory, env } = options
  const logPath = logPathOf(folder)
  const logStart = await sizeOf(logPath)
  const args = serverArguments({ ...ports, namespace, ...(inMemory === true ? {} : { dbFile: DB_FILE }) })
  let server: ServerProcess | undefined
  try {
    server = await spawnServer(binary.path, args, { folder, logPath, env })
    await waitUntilReady(server, ports.port, options)
    return { ok: true, server }
  } catch (error) {
    await server?.stop()
    options.signal?.throwIfAborted()
    const said = await readLogTail(logPath, logStart)
    return { ok: false, reason: `${(error as Error).message}${said === '' ? '' : `; it said:\n${said}`}` }
  }
}

async function waitUntilReady(server: ServerProcess, port: number, options: LaunchOptions): Promise<void> {
  const { progress, signal, readyTimeoutMs = 120_000 } = options
  const startedAt = Date.now()
  let ended: string | undefined
  void server.exited.then((how) => {
    ended = how
  })
  const check = (lastError?: unknown): void => {
    signal?.throwIfAborted()
    if (ended !== undefined) throw new Error(ended)
    const waitedMs = Date.now() - startedAt
    if (waitedMs > readyTimeoutMs) throw notReady(waitedMs, lastError)
    if (waitedMs > 1_500) progress.wait(`Waiting for Temporal … ${Math.round(waitedMs / 1_000)} s`)
  }
  while (!(await isListening(port))) {
    check()
    await sleep(40)
  }
  await prepareNamespace(port, options, check)
}

function notReady(waitedMs: number, lastError: unknown): Error {
  const detail = lastError === undefined ? '' : ` (${(lastError as Error).message})`
  return new Error(`it was not ready after ${(waitedMs / 1_000).toFixed(1)} s${detail}`)
}

async function prepareNamespace(
  port: number,
  options: LaunchOptions,
  check: (lastError?: unknown) => void,
): Promise<void> {
  const { namespace, retentionDays } = options
  const connection = Connection.lazy({ address: `127.0.0.1:${port}` })
  let lastError: unknown
  try {
    for (;;) {
      check(lastError)
      try {
        await connection.withDeadline(Date.now() + 5_000, async () => {
          await ensureRetention(connection, namespace, retentionDays)
          await ensureSearchAttributes(connection, namespace)
        })
        return
      } catch (error) {
        if (error instanceof SopError) throw error
        lastError = error
        await sleep(100)
      }
    }
  } finally {
    await connection.close()
  }
}

/** The dev server forgets closed runs after a day unless it is told otherwise; it keeps what it is told. */
async function ensureRetention(connection: Connection, namespace: string, days: number): Promise<void> {
  const seconds = days * 86_400
  const { config } = await connection.workflowService.describeNamespace({ namespace })
  if (Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) === seconds) return
  await connection.workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: msToTs(seconds * 1_000) },
  })
}

export const logPathOf = (folder: string): string => join(folder, 'server.log')
const MAX_LOG_BYTES = 10_000_000

/** Keeps the log of the last time besides the present one once it is large. */
export async function rotateLog(path: string): Promise<void> {
  if ((await sizeOf(path)) > MAX_LOG_BYTES) await rename(path, `${path}.1`)
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    (found) => found.size,
    () => 0,
  )

/** The last lines that were written after `from`. */
async function readLogTail(path: string, from: number): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const start = Math.max(from, size - 4_000)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start)
    return buffer.toString('utf8', 0, bytesRead).trim().split('\n').slice(-5).join('\n').slice(-2_000)
  } finally {
    await file.close()
  }
}
