import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { SopError } from '../core/errors.ts'
import { createChainCheck, type ChainResult, type Witness } from '../core/verify/chain.ts'
import { checkDefinition } from '../core/verify/definition.ts'
import { type AuditCheck, type Finding, notice, type NoticeKind, type RunCheck } from '../core/verify/finding.ts'
import { checkRun, type RunWitnesses, type SealedLog } from '../core/verify/run.ts'
import type { StoredRecord } from '../core/verify/stored-record.ts'
import type { HeadMark } from '../core/heads.ts'
import { checkSealedLogs } from './check-logs.ts'
import type { CheckedRecords } from './records.ts'
import type { HistoryAnswer, RunHistories } from './run-history.ts'
import { createSealCheck } from './signing.ts'
import type { VerifyNews, VerifyOptions } from './verify-client.ts'

// verify.ts: asks all witnesses of a record, and then reads the record. Order matters: what goes on meanwhile must only ever
// make the record longer than its witnesses say. What still looks deleted is looked at twice, since retention may be at it.

/** What a check reads. */
export interface VerifyDeps {
  readonly records: Pick<CheckedRecords, 'index' | 'logs' | 'heads' | 'flushHeads' | 'raw'>
  readonly histories: RunHistories
  /** Public half of the installation's key, base64. */
  readonly authority: string
  /** How long it waits before it looks again at what seems deleted, in milliseconds. Default 1,500. */
  readonly secondLookMs?: number
}

const SECOND_LOOK_MS = 1_500
/** Runs that are checked at once. */
const AT_ONCE = 8
/** How many runs there are between two words about the progress. */
const PROGRESS_RUNS = 100

export const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex')

interface HeadsRead {
  readonly witnesses: ReadonlyMap<string, readonly Witness[]>
  readonly result: ChainResult
}

/** Reads the chain of heads; with a run only what is about it is kept, and only its signatures are looked at. */
export const readHeads = async (
  { records, authority }: Pick<VerifyDeps, 'records' | 'authority'>,
  { keys = [], head: noted }: VerifyOptions,
  runId?: string,
): Promise<HeadsRead> => {
  const check = createChainCheck({
    sha256Hex,
    keys: [authority, ...keys],
    verify: createSealCheck(),
    ...(runId !== undefined && { looksAt: (head) => head.runId === runId }),
    ...(noted && { noted }),
  })
  const witnesses = new Map<string, Witness[]>()
  for await (const piece of records.heads.scan()) {
    for (const line of piece) {
      const witness = check.take(line)
      if (witness === undefined || (runId !== undefined && witness.head.runId !== runId)) continue
      const known = witnesses.get(witness.head.runId)
      if (known === undefined) witnesses.set(witness.head.runId, [witness])
      else known.push(witness)
    }
    // Other work has its turn between two pieces.
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { witnesses, result: check.end() }
}

/** Definitions are shared by many runs. */
const MAX_DEFINITIONS = 200

const definitionChecks = (records: VerifyDeps['records']): ((digest: string) => Promise<readonly Finding[]>) => {
  const known = new Map<string, readonly Finding[]>()
  return async (digest) => {
    const found = known.get(digest)
    if (found !== undefined) return found
    const findings = checkDefinition(digest, await records.raw.definition(digest))
    if (known.size >= MAX_DEFINITIONS) known.clear()
    known.set(digest, findings)
    return findings
  }
}

interface Check {
  readonly deps: VerifyDeps
  readonly options: VerifyOptions
  readonly heads: HeadsRead
  readonly definition: (digest: string) => Promise<readonly Finding[]>
}

/** The check of one run, and what Temporal said of it. */
const checkOne = async (
  check: Check,
  runId: string,
): Promise<{ readonly run: RunCheck; readonly isKnown: boolean }> => {
  const { deps, options, heads, definition } = check
  const { records, histories } = deps
  const history: HistoryAnswer | 'skipped' = options.history === false ? 'skipped' : await histories.of(runId)
  const listed = await records.index.get(runId)
  const record = await records.raw.read(runId)
  const own = heads.witnesses.get(runId) ?? []
  const definitions = new Map<string, readonly Finding[]>()
  for (const digest of digestsOf(record)) definitions.set(digest, await definition(digest))
  const witnesses: RunWitnesses = {
    runId,
    ...(listed && { listed: { sequence: listed.sequence, sop: listed.sopName } }),
    heads: own,
    chain: heads.result,
    history,
    checkDefinition: (digest) => definitions.get(digest) ?? [],
    checkLogs: () => ({ checked: 0, findings: [] }),
  }
  let asked: readonly SealedLog[] = []
  const first = checkRun(
    record,
    {
      ...witnesses,
      checkLogs: (logs) => {
        asked = logs
        return { checked: 0, findings: [] }
      },
    },
    sha256Hex,
  )
  const isKnown = record !== undefined || own.length > 0 || listed !== undefined || typeof history === 'object'
  if (asked.length === 0) return { run: first, isKnown }
  const logs = await checkSealedLogs(records.logs, runId, asked)
  return { run: checkRun(record, { ...witnesses, checkLogs: () => logs }, sha256Hex), isKnown }
}

/** The digests that a record names, before anybody believed it. */
const digestsOf = (record: StoredRecord | undefined): readonly string[] =>
  (record?.lines ?? []).flatMap(({ event }) => {
    const { details } = (event ?? {}) as { readonly details?: { readonly digest?: unknown } | null }
    return typeof details?.digest === 'string' ? [details.digest] : []
  })

/** A record that retention removed, or a head that was written, while somebody looked. */
const isWorthAnotherLook = ({ findings }: RunCheck): boolean =>
  findings.some(({ kind }) => kind === 'record_deleted' || kind === 'unsealed')

const start = async (deps: VerifyDeps, options: VerifyOptions, runId?: string): Promise<Check> => {
  await deps.records.flushHeads()
  return { deps, options, heads: await readHeads(deps, options, runId), definition: definitionChecks(deps.records) }
}

/** By then the writer has written what it was about to write. */
const startAgain = async (deps: VerifyDeps, options: VerifyOptions, runId?: string): Promise<Check> => {
  await delay(deps.secondLookMs ?? SECOND_LOOK_MS)
  return start(deps, options, runId)
}

/** Checks one run. @throws SopError `not_found` where nothing knows it */
export const verifyRun = async (deps: VerifyDeps, runId: string, options: VerifyOptions = {}): Promise<RunCheck> => {
  const check = await start(deps, options, runId)
  const first = await checkOne(check, runId)
  if (!first.isKnown) throw new SopError('not_found', `Cannot check run "${runId}": nothing knows of it`)
  const again = isWorthAnotherLook(first.run) ? await startAgain(deps, options, runId) : check
  const { run } = again === check ? first : await checkOne(again, runId)
  return withChain(run, again.heads.result)
}

/**
 * What is wrong with the chain as a whole weakens what it says of each run; of the run itself it is no fault. Unless
 * somebody asked for a head that was noted elsewhere: that it is not there is the answer.
 */
const withChain = (run: RunCheck, { findings, noted = [] }: ChainResult): RunCheck => {
  const own = findings.filter((finding) => finding.runId === run.runId || noted.includes(finding))
  const others = findings.length - own.length
  const damaged =
    others === 0
      ? []
      : [
          notice('heads_damaged', `the chain of heads has ${plural(others, 'problem')} elsewhere: check all runs`, {
            runId: run.runId,
          }),
        ]
  return { ...run, ok: run.ok && own.length === 0, findings: [...run.findings, ...own, ...damaged] }
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? '' : 's'}`

/** Checks all runs that anybody knows of. */
export async function* verifyAudit(
  deps: VerifyDeps,
  { signal, ...options }: VerifyOptions & { readonly signal?: AbortSignal } = {},
): AsyncGenerator<VerifyNews> {
  const check = await start(deps, options)
  const total = createTotals()
  const ids = await allIds(check)
  yield { kind: 'progress', checked: 0, total: ids.length }
  const suspects: string[] = []
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    if (signal?.aborted === true) return
    const batch = ids.slice(from, from + AT_ONCE)
    for (const { run } of await Promise.all(batch.map((runId) => checkOne(check, runId)))) {
      if (isWorthAnotherLook(run)) suspects.push(run.runId)
      else {
        total.add(run)
        if (!run.ok) yield { kind: 'run', run }
      }
    }
    const checked = Math.min(ids.length, from + AT_ONCE)
    if (checked % PROGRESS_RUNS < AT_ONCE) yield { kind: 'progress', checked, total: ids.length }
  }
  const again = suspects.length === 0 ? check : await startAgain(deps, options)
  for (const runId of suspects) {
    const { run } = await checkOne(again, runId)
    total.add(run)
    if (!run.ok) yield { kind: 'run', run }
  }
  yield { kind: 'progress', checked: ids.length, total: ids.length }
  yield { kind: 'done', audit: total.end(check.heads.result, deps.authority) }
}

/** Everybody who is known to a record, a head, the list or Temporal. */
const allIds = async ({ deps: { records, histories }, heads, options }: Check): Promise<readonly string[]> => {
  const ids = new Set<string>(heads.witnesses.keys())
  for await (const piece of records.raw.ids()) for (const runId of piece) ids.add(runId)
  for (const { runId } of await records.index.list({ limit: ALL })) ids.add(runId)
  if (options.history !== false) {
    try {
      for await (const piece of histories.ids()) for (const runId of piece) ids.add(runId)
    } catch {
      // Each run then says that its history could not be asked.
    }
  }
  return [...ids].sort()
}

/** More than any list of runs. */
const ALL = 10_000_000

const createTotals = () => {
  let [runs, events, problems] = [0, 0, 0]
  const history = { compared: 0, gone: 0, unavailable: 0 }
  const notices: Partial<Record<NoticeKind, number>> = {}
  return {
    add: (run: RunCheck): void => {
      runs++
      events += run.events
      if (run.history !== 'skipped') history[run.history]++
      problems += run.findings.filter(({ severity }) => severity === 'problem').length
      for (const kind of new Set(run.findings.flatMap((each) => (each.severity === 'notice' ? [each.kind] : []))))
        notices[kind] = (notices[kind] ?? 0) + 1
    },
    end: ({ findings, entries, end }: ChainResult, key: string): AuditCheck => ({
      ok: problems === 0 && findings.length === 0,
      runs,
      events,
      heads: { entries, end: markOf(end), key },
      history,
      problems: problems + findings.length,
      notices,
      findings,
    }),
  }
}

const markOf = ({ index, hash }: HeadMark): HeadMark => ({ index, hash })
