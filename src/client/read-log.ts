import { SopError } from '../core/errors.ts'
import { isWantedLog, logNameOf, type LogWish } from '../core/log-name.ts'
import { isLogOver } from '../core/run/execution-view.ts'
import { isClosed } from '../core/run/state.ts'
import type { RunView } from '../core/run/view.ts'
import type { LogChunk, SopClient } from './client.ts'
import { type FindDeps, readRun } from './find-run.ts'
import type { RecordedLog, RecordedPiece } from './records.ts'

/** Bytes of one answer. */
const CHUNK_BYTES = 256 * 1024
/** Pause between two looks at a log that somebody follows, in milliseconds. */
const LOOK_MS = 200
/** Pause between two questions to a worker about the same run. */
const ASK_MS = 1_000

type At = Parameters<SopClient['readLog']>[1]

/** Reads a stretch of a step's log; with `waitMs` it waits for more than is there. */
export const readLog = async (deps: FindDeps, runId: string, at: At): Promise<LogChunk> => {
  const until = Date.now() + Math.min(at.waitMs ?? 0, 60_000)
  const hasEnded = createEndCheck(deps, runId)
  for (;;) {
    const log = (await deps.records.logs.list(runId)).filter((each) => isWantedLog(each, at)).at(-1)
    const isLast = Date.now() >= until
    if (log === undefined) {
      if (isLast || (await hasEnded())) throw await noLog(deps, runId, at)
    } else {
      const chunk = await readChunk(deps, log, at, hasEnded)
      if (chunk.next > chunk.offset || chunk.complete || isLast) return chunk
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

/** Says whether a log, or without one the run, can get no more. */
export type EndCheck = (log?: RecordedLog) => Promise<boolean>

/**
 * What a log that its writer did not close is judged by: the run, or the step of it, is over. The record answers as a
 * rule; a worker is asked once in a while, since a run that it killed or that was terminated may never say so.
 */
export const createEndCheck = (deps: FindDeps, runId: string): EndCheck => {
  let view: RunView | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  return async (log) => {
    const summary = await deps.records.index.get(runId)
    if (summary !== undefined && isClosed(summary.status)) return true
    if (Date.now() - askedAt >= ASK_MS) {
      askedAt = Date.now()
      view = await readRun(deps, runId)
    }
    if (view === undefined) return false
    if (isClosed(view.status)) return true
    return log !== undefined && isLogOver(view, log)
  }
}

/** A piece as it is now: empty where nothing is there yet. */
export const readChunk = async (
  { records }: Pick<FindDeps, 'records'>,
  log: RecordedLog,
  { offset = 0, limit = CHUNK_BYTES, encoding }: Pick<At, 'offset' | 'limit' | 'encoding'>,
  hasEnded: EndCheck,
): Promise<LogChunk> => {
  const read = (): Promise<RecordedPiece> => records.logs.read(log, offset, Math.min(limit, CHUNK_BYTES))
  let piece = await read()
  let isOver = piece.isClosed === true
  if (!isOver && offset + piece.bytes.length >= piece.end && (await hasEnded(log))) {
    isOver = true
    // What the log still got before it was over.
    piece = await read()
  }
  const { bytes, end, cutBytes } = piece
  const isWhole = encoding !== undefined || (offset + bytes.length >= end && isOver)
  const whole = wholeCharacters(bytes, isWhole)
  const next = offset + whole.length
  return {
    runId: log.runId,
    ...logNameOf(log),
    offset,
    next,
    ...(encoding === undefined
      ? { text: decoder.decode(whole) }
      : { text: '', base64: Buffer.from(whole).toString(encoding) }),
    complete: isOver && next >= end,
    ...(cutBytes !== undefined && { truncated: true as const }),
  }
}

// A byte order mark is a part of what was printed, and counts in offsets.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Leaves the beginning of a character that the chunk cuts for the next one, unless nothing more will come. */
const wholeCharacters = (bytes: Uint8Array, isEnd: boolean): Uint8Array => {
  if (isEnd) return bytes
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return bytes
    if (byte >= 0xc0) {
      const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
      return needs > back ? bytes.subarray(0, bytes.length - back) : bytes
    }
  }
  return bytes
}

/** Why there is none: nothing was printed yet, or it was removed. */
export const noLog = async ({ records }: Pick<FindDeps, 'records'>, runId: string, at: LogWish): Promise<SopError> => {
  const removal = await records.logs.removal(runId)
  if (removal !== undefined) {
    const when = removal.removedAt.slice(0, 10)
    return new SopError(
      'not_found',
      `Cannot read the log of run "${runId}": its logs were removed on ${when}, since ${removal.reason}. Its record stays: sop audit ${runId}`,
      { removedAt: removal.removedAt },
    )
  }
  const { step, attempt, item } = at
  const of = item === undefined ? '' : `item ${item} of `
  const what =
    step === undefined ? 'no step' : `${of}step ${step}${attempt === undefined ? '' : `, attempt ${attempt},`}`
  return new SopError('not_found', `Cannot read the log of run "${runId}": ${what} has printed anything yet`)
}
