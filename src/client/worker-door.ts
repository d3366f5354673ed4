import { createHash } from 'node:crypto'
import { type Actor, assertMay } from '../core/access.ts'
import { SopError } from '../core/errors.ts'
import { mayKeepLog, mayReadSecrets } from '../core/pool-access.ts'
import type { RunState } from '../core/run/state.ts'
import type { RunView } from '../core/run/view.ts'
import type { RecordedLog, RecordedPiece } from './records.ts'
import { createTurns } from './turns.ts'

// worker-door.ts: what a worker of a pool gets from the engine, and brings to it. It reaches no file of ours, so this is all
// that it can do: W1 it learns where Temporal is and whose signatures count; W2 it brings logs of steps of its pools, byte by
// byte in order, and changes none that are there; W3 it reads secret params of runs that have steps on its pools.

/** What a worker has to know before it can begin. */
export interface Welcome {
  readonly version: string
  /** Raw Ed25519 public key of the installation, base64: what warrants are checked with. */
  readonly authority: string
  readonly taskQueue: string
  readonly temporal: { readonly address: string; readonly namespace: string }
}

/** What a whole log is known by. */
export interface LogSum {
  readonly bytes: number
  /** In hex, of all bytes of the log. */
  readonly sha256: string
  /** Bytes of output that are not in it, since a limit was reached. */
  readonly cutBytes?: number
}

export interface WorkerDoor {
  welcome(actor: Actor): Welcome
  /**
   * Takes a stretch of a log. Bytes that are there already are passed over, so the same call twice is one.
   *
   * @returns the offset to go on from
   * @throws SopError `conflict` with `details.expected` for a gap, or where other bytes are there already
   */
  putLog(actor: Actor, log: RecordedLog, offset: number, bytes: Uint8Array): Promise<{ readonly next: number }>
  /** Closes a log that is whole. @throws SopError `conflict` with `details.expected` when it is not. */
  endLog(actor: Actor, log: RecordedLog, sum: LogSum): Promise<void>
  /** @throws SopError `not_found` where the run has no such value any more. */
  secretParam(actor: Actor, runId: string, name: string): Promise<{ readonly value: string }>
  runState(actor: Actor, runId: string): Promise<{ readonly status: RunState }>
}

interface DoorLogs {
  open(log: RecordedLog): Promise<{
    readonly size: number
    write(bytes: Uint8Array): Promise<void>
    cut(bytes: number): Promise<void>
    close(): Promise<unknown>
    release(): Promise<void>
  }>
  read(log: RecordedLog, offset: number, limit: number): Promise<RecordedPiece>
  removal(runId: string): Promise<{ readonly reason: string } | undefined>
}

export interface WorkerDoorDeps {
  /** @throws SopError `not_found` */
  readonly readRun: (runId: string) => Promise<RunView>
  readonly welcome: Welcome
  /** Without limits of their own: the worker keeps them. */
  readonly logs: DoorLogs
  readonly vault: { get(runId: string, name: string): Promise<string | undefined> }
  /** Told of logs that did not arrive as they were sent. */
  readonly warn: (message: string, details: Readonly<Record<string, unknown>>) => void
  readonly now?: () => number
}

/** How long it is believed that a step belongs to a pool, in milliseconds: asking the run for every stretch is dear. */
const BELIEF_MS = 60_000
const MAX_BELIEFS = 1_000
const SUM_CHUNK_BYTES = 1024 * 1024

export const createWorkerDoor = (deps: WorkerDoorDeps): WorkerDoor => {
  const turns = createTurns(1)
  const checkLog = createLogCheck(deps)
  const inTurn = <T>(log: RecordedLog, work: () => Promise<T>): Promise<T> => turns.take(keyOf(log), work)
  return {
    welcome: (actor) => {
      assertMay(actor, 'serveSteps')
      return deps.welcome
    },
    putLog: async (actor, log, offset, bytes) => {
      await checkLog(actor, log)
      return inTurn(log, () => put(deps, log, offset, bytes))
    },
    endLog: async (actor, log, sum) => {
      await checkLog(actor, log)
      return inTurn(log, () => end(deps, log, sum))
    },
    secretParam: async (actor, runId, name) => {
      assertMay(actor, 'serveSteps')
      const run = await deps.readRun(runId)
      if (!mayReadSecrets(actor.principal, run)) {
        throw new SopError(
          'forbidden',
          `Cannot read params of run "${runId}": it has nothing to do in this worker's pools`,
        )
      }
      const value = await deps.vault.get(runId, name)
      if (value !== undefined) return { value }
      throw new SopError('not_found', `Cannot read param "${name}" of run "${runId}": no value of it is kept`)
    },
    runState: async (actor, runId) => {
      assertMay(actor, 'serveSteps')
      return { status: (await deps.readRun(runId)).status }
    },
  }
}

const keyOf = ({ runId, executableId, attempt }: RecordedLog): string => JSON.stringify([runId, executableId, attempt])

const createLogCheck = (deps: WorkerDoorDeps): ((actor: Actor, log: RecordedLog) => Promise<void>) => {
  const { now = Date.now } = deps
  const beliefs = new Map<string, number>()
  return async (actor, log) => {
    assertMay(actor, 'serveSteps')
    const key = JSON.stringify([actor.principal.id, keyOf(log)])
    if ((beliefs.get(key) ?? 0) > now()) return
    assertOwnLog(actor, log, await deps.readRun(log.runId))
    const removal = await deps.logs.removal(log.runId)
    if (removal !== undefined) {
      throw new SopError(
        'not_found',
        `Cannot keep a log of run "${log.runId}": its logs were removed, since ${removal.reason}`,
      )
    }
    if (beliefs.size >= MAX_BELIEFS) beliefs.clear()
    beliefs.set(key, now() + BELIEF_MS)
  }
}

/** Only a step of one of the worker's pools has a log that it may write. */
const assertOwnLog = (actor: Actor, log: RecordedLog, run: RunView): void => {
  const { runId, executableId, attempt } = log
  if (mayKeepLog(actor.principal, run, log)) return
  throw new SopError(
    'forbidden',
    `Cannot keep a log of ${executableId}, attempt ${attempt}, of run "${runId}": it is no step of a pool that "${actor.principal.id}" may serve`,
  )
}

const put = async ({ logs }: WorkerDoorDeps, log: RecordedLog, offset: number, bytes: Uint8Array) => {
  const there = await logs.read(log, offset, bytes.length)
  if (offset > there.end) throw gap(log, offset, there.end)
  if (Buffer.compare(there.bytes, bytes.subarray(0, there.bytes.length)) !== 0) {
    throw new SopError('conflict', `Cannot keep bytes from ${offset} of ${nameOf(log)}: other bytes are there already`)
  }
  const fresh = bytes.subarray(there.bytes.length)
  const next = offset + bytes.length
  if (fresh.length === 0) return { next }
  if (there.isClosed === true)
    throw new SopError('conflict', `Cannot add to ${nameOf(log)}: it was ended at ${there.end} bytes`)
  const writer = await logs.open(log)
  try {
    // What another process of ours has taken meanwhile is not written again behind it.
    if (writer.size !== there.end) throw gap(log, offset, writer.size)
    await writer.write(fresh)
  } finally {
    await writer.release()
  }
  return { next }
}

const gap = (log: RecordedLog, offset: number, expected: number): SopError =>
  new SopError(
    'conflict',
    `Cannot keep bytes from ${offset} of ${nameOf(log)}: it has ${expected} so far. Go on from there`,
    {
      expected,
    },
  )

const nameOf = ({ runId, executableId, attempt }: RecordedLog): string =>
  `the log of ${executableId}, attempt ${attempt}, of run "${runId}"`

const end = async (deps: WorkerDoorDeps, log: RecordedLog, { bytes, sha256, cutBytes }: LogSum): Promise<void> => {
  const { logs, warn } = deps
  const there = await logs.read(log, 0, 0)
  if (there.end < bytes) throw gap(log, bytes, there.end)
  const found = await sumOf(logs, log)
  if (there.end > bytes || found !== sha256) {
    warn('a log did not arrive as its worker sent it', {
      ...log,
      bytes,
      sha256,
      storedBytes: there.end,
      storedSha256: found,
    })
    throw new SopError(
      'conflict',
      `Cannot end ${nameOf(log)}: its ${there.end} bytes here are not those that were sent`,
    )
  }
  if (there.isClosed === true) return
  const writer = await logs.open(log)
  if (cutBytes !== undefined) await writer.cut(cutBytes)
  await writer.close()
}

const sumOf = async (logs: DoorLogs, log: RecordedLog): Promise<string> => {
  const hash = createHash('sha256')
  for (let offset = 0; ; ) {
    const { bytes } = await logs.read(log, offset, SUM_CHUNK_BYTES)
    if (bytes.length === 0) return hash.digest('hex')
    hash.update(bytes)
    offset += bytes.length
  }
}
