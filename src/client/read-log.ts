import { SopError } from '../core/errors.ts'
import { isClosed } from '../core/run/state.ts'
import type { LogChunk, SopClient } from './client.ts'
import { type FindDeps, readRun } from './find-run.ts'
import type { RecordedLog } from './records.ts'

/** Bytes of one answer. */
const CHUNK_BYTES = 256 * 1024
/** Pause between two looks at a log that somebody follows, in milliseconds. */
const LOOK_MS = 200

type At = Parameters<SopClient['readLog']>[1]

const split = ({ executableId }: RecordedLog): readonly [source: string, id: string] => {
  const at = executableId.indexOf(':')
  return [executableId.slice(0, at), executableId.slice(at + 1)]
}

const isWanted = (log: RecordedLog, at: At): boolean => {
  const [source, id] = split(log)
  const isGate = source === 'gate'
  return (
    (at.step === undefined || (!isGate && Number(id) === at.step)) &&
    (at.attempt === undefined || log.attempt === at.attempt) &&
    (at.source === undefined
      ? at.step === undefined || source === 'step'
      : at.source === source || (isGate && at.source === id))
  )
}

/** Reads a stretch of a step's log; with `waitMs` it waits for more than is there. */
export const readLog = async (deps: FindDeps, runId: string, at: At): Promise<LogChunk> => {
  const until = Date.now() + Math.min(at.waitMs ?? 0, 60_000)
  for (;;) {
    const log = (await deps.records.logs.list(runId)).filter((each) => isWanted(each, at)).at(-1)
    const view = await readRun(deps, runId)
    const isLast = Date.now() >= until
    if (log === undefined) {
      if (isLast || isClosed(view.status)) throw noLog(runId, at)
    } else {
      const offset = at.offset ?? 0
      const limit = Math.min(at.limit ?? CHUNK_BYTES, CHUNK_BYTES)
      const { bytes, end } = await deps.records.logs.read(log, offset, limit)
      const [source, id] = split(log)
      const step = view.stepResults.find((each) => source !== 'gate' && each.number === Number(id))
      const isOver =
        isClosed(view.status) || (step !== undefined && (step.attempt > log.attempt || step.status !== 'running'))
      const whole = wholeCharacters(bytes, offset + bytes.length >= end && isOver)
      const next = offset + whole.length
      const complete = isOver && next >= end
      if (whole.length > 0 || complete || isLast) {
        return {
          runId,
          stepNumber: step?.number ?? 0,
          attempt: log.attempt,
          source: source === 'gate' ? id : source,
          offset,
          next,
          text: new TextDecoder().decode(whole),
          complete,
        }
      }
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

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

const noLog = (runId: string, { step, attempt }: At): SopError =>
  new SopError(
    'not_found',
    `Cannot read the log of run "${runId}": ${step === undefined ? 'no step' : `step ${step}${attempt === undefined ? '' : `, attempt ${attempt},`}`} has printed anything yet`,
  )
