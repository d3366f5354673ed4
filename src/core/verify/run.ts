import type { Sha256Hex } from '../audit-chain.ts'
import type { LogSummary, RecordedEvent } from '../run/event.ts'
import { effectiveEvents } from '../run/fork.ts'
import type { ExecutableId } from '../run/task.ts'
import type { ChainResult, Witness } from './chain.ts'
import { type Finding, type FindingAt, type HistoryCheck, notice, problem, type RunCheck } from './finding.ts'
import { compareHistory, type ImpliedEvents } from './history.ts'
import { checkLines, type LinesCheck } from './lines.ts'
import type { StoredRecord } from './stored-record.ts'

// run.ts: the record of one run against everything that knows of it. All witnesses were asked before the record was read:
// a run that goes on meanwhile has more events than they know, never fewer.

/** What is known of a run besides its record. */
export interface RunWitnesses {
  readonly runId: string
  /** How far the list of runs says that the record is. */
  readonly listed?: { readonly sequence: number; readonly sop: string }
  /** The entries of the chain of heads about the run, in their order. */
  readonly heads: readonly Witness[]
  /** The chain of heads as a whole; absent where there is none to be asked. */
  readonly chain?: Pick<ChainResult, 'entries' | 'endAt' | 'findings'>
  readonly history: ImpliedEvents | Exclude<HistoryCheck, 'compared'>
  /** Of a record that is not whole it is one of the older versions, or of another store. */
  readonly checkDefinition: (digest: string) => readonly Finding[]
  /** What was found of the logs that have a digest in the record. */
  readonly checkLogs: (logs: readonly SealedLog[]) => {
    readonly checked: number
    readonly findings: readonly Finding[]
  }
}

/** A log of which the record has a digest. */
export interface SealedLog extends LogSummary {
  readonly executableId: ExecutableId
  readonly attempt: number
  /** The event that says so. */
  readonly sequence: number
}

/**
 * So long after an event a head should vouch for it, by the time of the chain's end, in milliseconds: what a crash kept
 * from being written is written within two minutes of the next start, before anything else.
 */
const SEALED_WITHIN_MS = 10 * 60_000

/** Checks the record; `undefined`: the store has none. */
export const checkRun = (record: StoredRecord | undefined, witnesses: RunWitnesses, sha256Hex: Sha256Hex): RunCheck => {
  const { runId, listed, history } = witnesses
  const heads = currentHeads(witnesses.heads)
  const lines = record === undefined || record.lines.length === 0 ? undefined : checkLines(runId, record, sha256Hex)
  const found: Finding[] = []
  if (record !== undefined) found.push(...recordAsWhole(runId, record))
  let logs = 0
  if (lines === undefined) found.push(...goneRecord(witnesses, heads))
  else if (lines.isForeign) found.push(...lines.findings)
  else {
    found.push(...lines.findings)
    found.push(...againstHeads(runId, lines, heads, witnesses))
    found.push(...againstList(runId, lines, listed))
    if (typeof history === 'object') found.push(...compareHistory(runId, history, lines))
    found.push(...definitionsOf(lines).flatMap(({ digest, at }) => placed(witnesses.checkDefinition(digest), at)))
    const checked = witnesses.checkLogs(logsOf(lines))
    logs = checked.checked
    found.push(...checked.findings)
    found.push(...forksOf(runId, lines))
  }
  if (history === 'unavailable')
    found.push(
      notice('history_unavailable', "the workflow's history could not be asked: Temporal is out of reach", { runId }),
    )
  const sop = lines?.events.get(1)
  return {
    runId,
    ...sopOf(sop, listed, heads.good.at(-1)),
    ok: found.every(({ severity }) => severity === 'notice'),
    events: lines?.events.size ?? 0,
    sealedTo: Math.max(0, ...heads.good.map(({ head }) => head.sequence)),
    history: typeof history === 'object' ? 'compared' : history,
    logs,
    findings: settled(found),
  }
}

interface RunHeads {
  /** Those after the last tombstone that are what the installation wrote. */
  readonly good: readonly Witness[]
  /** The tombstone, where nothing came after it. */
  readonly removed?: Witness
}

const currentHeads = (all: readonly Witness[]): RunHeads => {
  const good = all.filter(({ isGood }) => isGood)
  const at = good.findLastIndex(({ head }) => head.kind === 'removed')
  const removed = at !== -1 && at === good.length - 1 ? good[at] : undefined
  return removed === undefined ? { good: good.slice(at + 1) } : { good: [], removed }
}

const sopOf = (
  first: RecordedEvent | undefined,
  listed: RunWitnesses['listed'],
  witness: Witness | undefined,
): { readonly sop?: string } => {
  const named = first?.eventType === 'run_created' ? first.details.sop : undefined
  const sop = typeof named === 'string' ? named : (listed?.sop ?? witness?.head.sop)
  return sop === undefined ? {} : { sop }
}

const recordAsWhole = (runId: string, { file, unfinishedBytes = 0, others = [] }: StoredRecord): readonly Finding[] => [
  ...others.map((other) =>
    problem('record_doubled', `another record of the run lies in ${other}`, { file: other, runId }),
  ),
  ...(unfinishedBytes > 0
    ? [
        notice('unfinished_line', 'the last line was never finished, as after a power failure: it counts for nothing', {
          file,
          runId,
        }),
      ]
    : []),
]

/** Who remembers a run whose record is gone. */
const goneRecord = ({ runId, listed, history }: RunWitnesses, { good, removed }: RunHeads): readonly Finding[] => {
  if (removed !== undefined) {
    const { head, file, line } = removed
    const by = head.removal?.by === undefined ? '' : ` by ${head.removal.by}`
    const message = `its ${head.sequence} events were removed on ${head.at}${by}: ${head.removal?.reason ?? 'no reason was given'}`
    return [notice('removed', message, { file, line, runId })]
  }
  const last = good.at(-1)
  if (last !== undefined) {
    const { head, file, line } = last
    const message = `the record was deleted: head ${head.index} of ${head.at} says that it had ${head.sequence} events, and nothing says that it was removed`
    return [problem('record_deleted', message, { file, line, runId })]
  }
  if (listed !== undefined && listed.sequence > 0)
    return [
      problem('record_deleted', `the record was deleted: the list of runs says that it had ${listed.sequence} events`, {
        runId,
      }),
    ]
  if (typeof history === 'object' && history.ackedTo > 0)
    return [
      problem(
        'record_deleted',
        `the record was deleted: the workflow's history says that it had ${history.ackedTo} events`,
        { runId },
      ),
    ]
  return []
}

/** The record against what was signed of it. */
const againstHeads = (
  runId: string,
  lines: LinesCheck,
  { good, removed }: RunHeads,
  { chain }: RunWitnesses,
): readonly Finding[] => {
  if (removed !== undefined) {
    const { head, file, line } = removed
    if (lines.last <= head.sequence && lines.events.get(lines.last)?.hash === head.eventHash)
      return [
        notice('removal_unfinished', `head ${head.index} says that the record was removed; the next sweep removes it`, {
          file,
          line,
          runId,
        }),
      ]
  }
  const found: Finding[] = []
  let fits = 0
  for (const { head } of good) {
    const stored = lines.events.get(head.sequence)
    const vouched = `head ${head.index} of ${head.at}`
    if (head.sequence > lines.last) {
      const message = `the record ends at event ${lines.last}, though ${vouched} vouches for event ${head.sequence}`
      found.push(problem('cut_off', message, { ...lines.placeOf(lines.last), runId, sequence: lines.last + 1 }))
      break
    }
    if (stored === undefined) continue
    if (stored.hash !== head.eventHash) {
      const from = fits + 1
      const range =
        from === head.sequence ? `event ${from} is` : `of the events ${from} to ${head.sequence} at least one is`
      const message = `${range} not what was recorded: ${vouched} vouches for another event ${head.sequence}. Whoever changed it made the hashes anew`
      found.push(problem('rewritten', message, { ...lines.placeOf(from), runId, sequence: from }))
      break
    }
    fits = head.sequence
  }
  const late = good.filter(({ head }) => head.late === true)
  for (const { head, file, line } of late) {
    const message = `head ${head.index} of ${head.at} vouches for event ${head.sequence} after the fact, as after a crash or an upgrade: of the time before it the record's own chain is the only witness`
    found.push(notice('late_head', message, { file, line, runId }))
  }
  return [...found, ...unsealed(runId, lines, good, chain)]
}

/** Events that no head vouches for: they were just written, or a head was taken away. */
const unsealed = (
  runId: string,
  lines: LinesCheck,
  good: readonly Witness[],
  chain: RunWitnesses['chain'],
): readonly Finding[] => {
  if (chain === undefined) return []
  const sealedTo = Math.max(0, ...good.map(({ head }) => head.sequence))
  const next = [...lines.events.values()].find(({ sequence }) => sequence > sealedTo)
  if (next === undefined) return []
  const at: FindingAt = { ...lines.placeOf(next.sequence), runId, sequence: next.sequence }
  if (chain.entries === 0 || chain.endAt === undefined)
    return [notice('no_heads', 'no head vouches for the record: the store has none, as one of an older version', at)]
  if (chain.findings.length > 0)
    return [
      notice('heads_damaged', `no head vouches for event ${next.sequence}, and the chain of heads is damaged`, at),
    ]
  const isOld = Date.parse(next.timestamp) + SEALED_WITHIN_MS < Date.parse(chain.endAt)
  return isOld
    ? [
        problem(
          'unsealed',
          `no head vouches for event ${next.sequence} of ${next.timestamp}, though the chain goes on to ${chain.endAt}: a head was taken away, or the event was put in`,
          at,
        ),
      ]
    : [notice('pending_head', `no head vouches for event ${next.sequence} yet`, at)]
}

const againstList = (runId: string, lines: LinesCheck, listed: RunWitnesses['listed']): readonly Finding[] => {
  if (listed === undefined || listed.sequence <= lines.last) return []
  const message = `the record ends at event ${lines.last}, though the list of runs has seen event ${listed.sequence}`
  return [problem('cut_off', message, { ...lines.placeOf(lines.last), runId, sequence: lines.last + 1 })]
}

const forksOf = (runId: string, lines: LinesCheck): readonly Finding[] =>
  [...lines.events.values()].flatMap((event) =>
    event.eventType === 'run_forked'
      ? [notice('forked', event.details.reason, { ...lines.placeOf(event.sequence), runId, sequence: event.sequence })]
      : [],
  )

/** The definitions that the record names. */
const definitionsOf = (lines: LinesCheck): readonly { readonly digest: string; readonly at: FindingAt }[] =>
  [...lines.events.values()].flatMap((event) => {
    if (event.eventType !== 'run_created' && event.eventType !== 'definition_amended') return []
    const { digest } = event.details
    return typeof digest === 'string' ? [{ digest, at: { runId: event.runId, sequence: event.sequence } }] : []
  })

const placed = (findings: readonly Finding[], at: FindingAt): readonly Finding[] =>
  findings.map((finding) => ({ ...at, ...finding }))

/**
 * The logs of which the record has digests; of one that is named twice the last counts. Where a reset made a part of the run
 * undone, its commands are done again and write on in the same logs.
 */
const logsOf = (lines: LinesCheck): readonly SealedLog[] => {
  const logs = new Map<string, SealedLog>()
  for (const event of effectiveEvents([...lines.events.values()])) {
    const { log, attempt } = event.details as { log?: LogSummary; attempt?: number }
    const executableId = writerOf(event)
    if (log === undefined || attempt === undefined || executableId === undefined) continue
    logs.set(`${executableId}#${attempt}`, { ...log, executableId, attempt, sequence: event.sequence })
  }
  return [...logs.values()]
}

/** Whose log an event tells of. */
const writerOf = ({ eventType, stepNumber, details }: RecordedEvent): ExecutableId | undefined => {
  const { gate, item } = details as { gate?: string; item?: number }
  const isCheck = eventType === 'verification_passed' || eventType === 'verification_failed'
  if (isCheck && gate !== undefined) return `gate:${gate}`
  if (stepNumber === undefined) return undefined
  const isUndo = eventType === 'step_rolled_back' || eventType === 'rollback_failed'
  return `${isCheck ? 'verify' : isUndo ? 'rollback' : 'step'}:${stepNumber}${item === undefined ? '' : `[${item}]`}`
}

/** Each once: two witnesses may tell the same of a record that was cut off. */
const settled = (findings: readonly Finding[]): readonly Finding[] => {
  const seen = new Set<string>()
  return findings.filter(({ kind, sequence, line, message }) => {
    const key = kind === 'cut_off' ? `${kind} ${sequence}` : `${kind} ${sequence} ${line} ${message}`
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}
