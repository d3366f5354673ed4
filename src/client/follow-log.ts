import { setTimeout as delay } from 'node:timers/promises'
import { SopError } from '../core/errors.ts'
import { isWantedLog, logNameOf, type LogWish } from '../core/log-name.ts'
import type { FollowLogOptions, LogChunk, LogPlace } from './client.ts'
import type { FindDeps } from './find-run.ts'
import { createEndCheck, type EndCheck, noLog, readChunk } from './read-log.ts'
import type { RecordedLog } from './records.ts'
import type { LogSize } from './run-screen-client.ts'

// follow-log.ts: the logs of a run as they come, one step after the other. Like follow-run.ts it keeps nothing but its place.

/** Pauses between two looks at a log that does not grow: short at first, in milliseconds. */
const FIRST_LOOK_MS = 50
const LONGEST_LOOK_MS = 500

interface Following {
  readonly deps: FindDeps
  readonly runId: string
  readonly signal: AbortSignal
  readonly hasEnded: EndCheck
}

/** The pieces of a log to its end, or, without a step, of all logs from the newest on until the run is closed. */
export async function* followLogs(
  deps: FindDeps,
  runId: string,
  { step, attempt, source, item, offset, after }: Omit<FollowLogOptions, 'signal'>,
  signal: AbortSignal,
): AsyncGenerator<LogChunk> {
  const following: Following = { deps, runId, signal, hasEnded: createEndCheck(deps, runId) }
  const wanted: LogPlace = after ?? {
    ...(step !== undefined && { step, source: source ?? 'step' }),
    ...(attempt !== undefined && { attempt }),
    ...(source !== undefined && { source }),
    ...(item !== undefined && { item }),
  }
  const first = await firstLog(following, wanted)
  if (first === undefined) return
  yield* followOne(following, first, after?.offset ?? offset ?? 0)
  if (step !== undefined) return
  const seen = new Set([nameOf(first), ...(await namesOfEnded(following, first))])
  for (;;) {
    const next = await nextLog(following, seen)
    if (next === undefined) return
    seen.add(nameOf(next))
    yield* followOne(following, next, 0)
  }
}

/** Longest pause between two looks of somebody who watches one log, in milliseconds. */
const WATCHED_MS = 150

/** The size of a log whenever it changed; ends with the log. */
export async function* followSize(
  deps: FindDeps,
  runId: string,
  wish: LogWish,
  signal: AbortSignal,
): AsyncGenerator<LogSize> {
  const following: Following = { deps, runId, signal, hasEnded: createEndCheck(deps, runId) }
  const log = await firstLog(following, wish)
  if (log === undefined) return
  let known = -1
  let lookMs = FIRST_LOOK_MS
  while (!signal.aborted) {
    const isOver = await orGoesOn(following.hasEnded(log))
    const { end: bytes, isClosed } = await deps.records.logs.read(log, 0, 0)
    const complete = isClosed === true || isOver
    if (bytes !== known || complete) yield { runId, ...logNameOf(log), bytes, complete }
    if (complete) return
    lookMs = bytes === known ? Math.min(2 * lookMs, WATCHED_MS) : FIRST_LOOK_MS
    known = bytes
    await pause(lookMs, signal)
  }
}

const nameOf = ({ executableId, attempt }: RecordedLog): string => `${executableId}#${attempt}`

/** The logs listed before this one that are over: those of steps beside it are not. */
const namesOfEnded = async ({ deps, runId, hasEnded }: Following, one: RecordedLog): Promise<readonly string[]> => {
  const logs = await deps.records.logs.list(runId)
  const before = logs.slice(
    0,
    logs.findIndex((each) => nameOf(each) === nameOf(one)),
  )
  const isOver = async (log: RecordedLog): Promise<boolean> =>
    (await readChunk(deps, log, { offset: Number.MAX_SAFE_INTEGER }, (each) => orGoesOn(hasEnded(each)))).complete
  const over = await Promise.all(before.map(isOver))
  return before.filter((_, at) => over[at]).map(nameOf)
}

/** Waits for the log while the run is open. @throws SopError `not_found` where logs of the run were removed. */
const firstLog = async (following: Following, wanted: LogPlace): Promise<RecordedLog | undefined> => {
  const { deps, runId } = following
  const found = await untilThere(following, async () => {
    const logs = await deps.records.logs.list(runId)
    return logs.filter((each) => isWantedLog(each, wanted)).at(-1)
  })
  if (found === undefined && (await deps.records.logs.removal(runId)) !== undefined)
    throw await noLog(deps, runId, wanted)
  return found
}

/** A log that was not seen yet; waits for one while the run is open. */
const nextLog = (following: Following, seen: ReadonlySet<string>): Promise<RecordedLog | undefined> =>
  untilThere(following, async () => {
    const logs = await following.deps.records.logs.list(following.runId)
    return logs.find((each) => !seen.has(nameOf(each)))
  })

const untilThere = async (
  { signal, hasEnded }: Following,
  find: () => Promise<RecordedLog | undefined>,
): Promise<RecordedLog | undefined> => {
  let lookMs = FIRST_LOOK_MS
  while (!signal.aborted) {
    // In this order: what came before the run ended is found after it.
    const isOver = await orGoesOn(hasEnded())
    const found = await find()
    if (found !== undefined || isOver) return found
    await pause(lookMs, signal)
    lookMs = Math.min(2 * lookMs, LONGEST_LOOK_MS)
  }
  return undefined
}

async function* followOne(
  { deps, signal, hasEnded }: Following,
  log: RecordedLog,
  from: number,
): AsyncGenerator<LogChunk> {
  let offset = from
  let lookMs = FIRST_LOOK_MS
  while (!signal.aborted) {
    const chunk = await readChunk(deps, log, { offset }, (one) => orGoesOn(hasEnded(one)))
    if (chunk.text !== '') yield chunk
    if (chunk.complete) return
    offset = chunk.next
    if (chunk.text !== '') {
      lookMs = FIRST_LOOK_MS
      continue
    }
    await pause(lookMs, signal)
    lookMs = Math.min(2 * lookMs, LONGEST_LOOK_MS)
  }
}

/** While nobody can say how the run stands, it goes on. */
const orGoesOn = async (answer: Promise<boolean>): Promise<boolean> => {
  try {
    return await answer
  } catch (error) {
    if (error instanceof SopError && error.code === 'unavailable') return false
    throw error
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal }).catch(() => undefined)
