import { createHash } from 'node:crypto'
import { SopError } from '../core/errors.ts'
import { runDocument } from '../core/run-document.ts'
import type { RecordedEvent } from '../core/run/event.ts'
import { EXPORT_FORMAT, type ExportLine, exportText } from '../core/verify/export.ts'
import type { StoredRecord } from '../core/verify/stored-record.ts'
import type { CheckedRecords, RecordedLog } from './records.ts'
import { readHeads } from './verify.ts'

// export-run.ts: everything about one run as the lines of one file (core/verify/export.ts). Made while it is read: a log of
// gigabytes is never held.

export interface ExportDeps {
  readonly records: Pick<CheckedRecords, 'index' | 'logs' | 'heads' | 'flushHeads' | 'raw'>
  readonly key: { readonly authority: string; seal(text: string): string }
  readonly version: string
}

/** Bytes of a log in one line; a multiple of three, so that nothing is padded in between. */
const PIECE_BYTES = 48 * 1024

/** The lines of the file, each with its line feed. @throws SopError `not_found` where there is no record, before the first line */
export async function* exportRun(deps: ExportDeps, runId: string): AsyncGenerator<string> {
  const hash = createHash('sha256')
  let lines = 0
  for await (const line of linesOf(deps, runId)) {
    const text = `${JSON.stringify(line)}\n`
    hash.update(text)
    lines++
    yield text
  }
  const sha256 = hash.digest('hex')
  const end: ExportLine = { type: 'end', lines, sha256, seal: deps.key.seal(exportText(sha256)) }
  yield `${JSON.stringify(end)}\n`
}

async function* linesOf({ records, key, version }: ExportDeps, runId: string): AsyncGenerator<ExportLine> {
  await records.flushHeads()
  const { witnesses, result } = await readHeads({ records, authority: key.authority }, {}, runId)
  const record = await records.raw.read(runId)
  if (record === undefined || record.lines.length === 0) {
    throw new SopError('not_found', `Cannot export run "${runId}": it has no record, or its record was removed`)
  }
  const events = eventsOf(record)
  const [created] = events
  const sop = created?.eventType === 'run_created' ? created.details.sop : undefined
  yield {
    type: 'export',
    format: EXPORT_FORMAT,
    runId,
    ...(sop !== undefined && { sop }),
    exportedAt: new Date().toISOString(),
    engine: version,
    key: key.authority,
  }
  for (const line of record.lines) yield { type: 'record', file: record.file, ...line }
  for (const digest of new Set(events.flatMap(digestOf))) yield* definitionLine(records, digest)
  const document = documentOf(sop, events)
  if (document !== undefined) yield { type: 'document', document }
  for (const { file, line, head } of witnesses.get(runId) ?? []) yield { type: 'head', file, line, head }
  const { entries, end, endAt } = result
  const chainEnd = { index: end.index, hash: end.hash }
  yield { type: 'chain', entries, end: chainEnd, ...(endAt !== undefined && { endAt }) }
  yield* logLines(records.logs, runId)
}

const eventsOf = ({ lines }: StoredRecord): readonly RecordedEvent[] =>
  lines.flatMap(({ event }) =>
    typeof (event as { eventType?: unknown } | null | undefined)?.eventType === 'string'
      ? [event as RecordedEvent]
      : [],
  )

const digestOf = (event: RecordedEvent): readonly string[] => {
  const { digest } = (event.details ?? {}) as { readonly digest?: unknown }
  return typeof digest === 'string' ? [digest] : []
}

/** Of a record that somebody damaged there may be none. */
const documentOf = (sop: string | undefined, events: readonly RecordedEvent[]) => {
  try {
    return runDocument(sop ?? '', events)
  } catch {
    return undefined
  }
}

async function* definitionLine(records: ExportDeps['records'], digest: string): AsyncGenerator<ExportLine> {
  const { definition } = ((await records.raw.definition(digest))?.pinned ?? {}) as { readonly definition?: unknown }
  if (definition === undefined) return
  yield { type: 'definition', digest, ...withoutSecrets(definition) }
}

/** What names a secret that is declared; anything else is the secret itself (rulings 27). */
const NAME = /^[A-Z][A-Z0-9_]*$/
const LEFT_OUT = '(left out)'

const withoutSecrets = (definition: unknown): { readonly definition: unknown; readonly isMasked?: true } => {
  const { triggers, secrets = [] } = definition as {
    readonly triggers?: unknown
    readonly secrets?: readonly unknown[]
  }
  if (!Array.isArray(triggers)) return { definition }
  let isMasked = false
  const kept = (triggers as readonly Readonly<Record<string, unknown>>[]).map((trigger) => {
    const { secret } = trigger
    if (typeof secret !== 'string' || NAME.test(secret) || secrets.includes(secret)) return trigger
    isMasked = true
    return { ...trigger, secret: LEFT_OUT }
  })
  return isMasked ? { definition: { ...(definition as object), triggers: kept }, isMasked } : { definition }
}

async function* logLines(logs: CheckedRecords['logs'], runId: string): AsyncGenerator<ExportLine> {
  const removal = await logs.removal(runId)
  if (removal !== undefined) yield { type: 'logs_removed', removedAt: removal.removedAt, reason: removal.reason }
  for (const { executableId, attempt } of await logs.list(runId)) yield* oneLog(logs, { runId, executableId, attempt })
}

async function* oneLog(logs: CheckedRecords['logs'], log: RecordedLog): AsyncGenerator<ExportLine> {
  yield { type: 'log', executableId: log.executableId, attempt: log.attempt }
  const hash = createHash('sha256')
  let at = 0
  for (;;) {
    const { bytes, isClosed, cutBytes } = await logs.read(log, at, PIECE_BYTES)
    hash.update(bytes)
    at += bytes.length
    if (bytes.length > 0) {
      yield { type: 'bytes', bytes: Buffer.from(bytes).toString('base64') }
      continue
    }
    const state = { ...(isClosed && { isClosed }), ...(cutBytes !== undefined && { cutBytes }) }
    yield { type: 'log_end', bytes: at, sha256: hash.digest('hex'), ...state }
    return
  }
}
