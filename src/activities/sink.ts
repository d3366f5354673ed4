import { log } from '@temporalio/activity'
import { type CommandResult, type CommandTask, logIdOf, OUTPUT_TAIL_BYTES } from '../core/run/task.ts'
import type { ActivityDeps, LogWriter } from './deps.ts'
import type { Mask } from './mask.ts'
import { createTail } from './output-tail.ts'
import type { ReadMark } from './spool.ts'

// sink.ts: where the output of a step goes: through the mask, into its log and the tail of its result. Where an earlier
// worker was killed, the same output is given again from a mark on, and what the log has of it already is passed over.

/** What a step printed, as its result tells it. */
type Printed = Pick<CommandResult, 'output' | 'logBytes' | 'logSha256' | 'logStored'>

export interface Sink {
  /** Takes output for the log and for the tail. */
  readonly write: (bytes: Uint8Array) => Promise<void>
  /** Writes a line of the engine's own to the log. */
  readonly note: (sentence: string) => Promise<void>
  /** Nothing is held back any more. @returns the bytes that the log has */
  readonly settle: () => Promise<number>
  /** What the log had when the output was taken up to there; undefined where the cut would go through a mask. */
  readonly markAt: (offset: number) => ReadMark | undefined
  close(): Promise<Printed>
}

/** A log that cannot be written never fails a step. `from`: bytes of the log after which output is given again. */
export const openSink = async (deps: ActivityDeps, task: CommandTask, mask: Mask, from?: number): Promise<Sink> => {
  const { runId, attempt } = task
  const key = { runId, executableId: logIdOf(task), attempt }
  const masker = mask.masker()
  const tail = createTail(OUTPUT_TAIL_BYTES)
  const lost = (error: unknown): undefined => void log.error('the log of a step cannot be written', { ...key, error })
  let writer: LogWriter | undefined = await deps.logs.open(key, from).catch(lost)
  let position = from ?? writer?.size ?? 0
  let known = Math.max(0, (writer?.size ?? 0) - position)
  if (from !== undefined) {
    const begin = Math.max(0, from - OUTPUT_TAIL_BYTES)
    const before = await deps.logs.read(key, begin, from - begin).catch(lost)
    if (before !== undefined) tail.push(before.bytes)
  }
  const emit = async (bytes: Uint8Array, inTail: boolean): Promise<void> => {
    if (bytes.length === 0) return
    if (inTail) tail.push(bytes)
    position += bytes.length
    const isNew = bytes.subarray(known)
    known = Math.max(0, known - bytes.length)
    if (isNew.length === 0) return
    await writer?.write(isNew).catch((error: unknown) => {
      lost(error)
      writer = undefined
    })
  }
  const isHttp = task.executable.kind === 'http'
  let closed: Promise<Printed> | undefined
  const finish = async (): Promise<Printed> => {
    await emit(masker.end(), true)
    const { bytes = 0, sha256, isPending } = (await writer?.close().catch(lost)) ?? {}
    const stored = isPending === true ? {} : { logStored: true as const }
    return { output: tail.text(), logBytes: bytes, ...(sha256 !== undefined && { logSha256: sha256, ...stored }) }
  }
  return {
    write: (bytes) => emit(masker.push(bytes), true),
    note: (sentence) => emit(Buffer.from(mask.text(`[sop] ${sentence}\n`)), !isHttp),
    settle: async () => {
      await emit(masker.end(), true)
      return position
    },
    markAt: (offset) => {
      const held = masker.held()
      return held === undefined ? undefined : { offset: offset - held, logBytes: position }
    },
    close: () => (closed ??= finish()),
  }
}
