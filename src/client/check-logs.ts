import { createHash } from 'node:crypto'
import { type Finding, notice, problem } from '../core/verify/finding.ts'
import type { SealedLog } from '../core/verify/run.ts'
import type { Records } from './records.ts'

// check-logs.ts: logs against the digests that the record has of them, piece by piece, however long they are.

/** Bytes that are read at once. */
const PIECE_BYTES = 256 * 1024

/** Reads each log whole, and says which is not the one that its event tells of. */
export const checkSealedLogs = async (
  logs: Records['logs'],
  runId: string,
  sealed: readonly SealedLog[],
): Promise<{ readonly checked: number; readonly findings: readonly Finding[] }> => {
  const removal = await logs.removal(runId)
  if (removal !== undefined) {
    const message = `its logs were removed on ${removal.removedAt} because ${removal.reason}`
    return { checked: 0, findings: [notice('logs_removed', message, { runId })] }
  }
  const findings: Finding[] = []
  for (const log of sealed) findings.push(...(await checkLog(logs, runId, log)))
  return { checked: sealed.length, findings }
}

const checkLog = async (logs: Records['logs'], runId: string, sealed: SealedLog): Promise<readonly Finding[]> => {
  const { executableId, attempt, sequence } = sealed
  const name = `the log of ${executableId} #${attempt}`
  const at = { runId, sequence, file: `logs: ${executableId} #${attempt}` }
  const hash = createHash('sha256')
  let bytes = 0
  let isClosed = false
  for (;;) {
    const piece = await logs.read({ runId, executableId, attempt }, bytes, PIECE_BYTES)
    hash.update(piece.bytes)
    bytes += piece.bytes.length
    isClosed = piece.isClosed === true
    if (piece.bytes.length === 0) break
  }
  // The worker of a pool brings it when it can reach us, which may be after the event; so does ours after its store was down.
  if (bytes < sealed.bytes && !isClosed && sealed.stored !== true) {
    return [notice('log_pending', `${name} is not whole: ${bytes} of ${sealed.bytes} bytes came so far`, at)]
  }
  if (bytes === 0 && sealed.bytes > 0)
    return [problem('log_missing', `${name} is missing: it had ${sealed.bytes} bytes`, at)]
  if (bytes !== sealed.bytes)
    return [
      problem('log_edited', `${name} has ${bytes} bytes, and event ${sequence} says that it had ${sealed.bytes}`, at),
    ]
  if (hash.digest('hex') === sealed.sha256) return []
  return [problem('log_edited', `${name} was changed: it is not the one that event ${sequence} tells of`, at)]
}
