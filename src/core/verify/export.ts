import type { Sha256Hex } from '../audit-chain.ts'
import { base64Bytes } from '../seal.ts'
import type { Head, HeadMark } from '../heads.ts'
import type { RunDocument } from '../run-document.ts'
import { definitionOf, lineOf, witnessesOf } from './export-parts.ts'
import { checkDefinition } from './definition.ts'
import { type Finding, notice, problem, type RunCheck } from './finding.ts'
import { checkRun, type SealedLog } from './run.ts'
import type { StoredLine } from './stored-record.ts'

// export.ts: one run as the lines of one file, and the check of such a file, which needs nothing else: no engine, no network.
// Each line is JSON, the last one seals all before it. What is large (logs) comes in pieces, and is held piece by piece.

/** Grows when a reader of an older version could not read a file any more. */
export const EXPORT_FORMAT = 1

/** How the names of such files end. */
export const EXPORT_SUFFIX = '.sop-export.jsonl'

export type ExportLine =
  | {
      readonly type: 'export'
      readonly format: number
      readonly runId: string
      readonly sop?: string
      readonly exportedAt: string
      /** Version of the engine that wrote the file. */
      readonly engine: string
      /** Public half of the installation's key, base64: what the heads and the file are signed with. */
      readonly key: string
    }
  /** A line of the record as it lies in the store. */
  | ({ readonly type: 'record'; readonly file: string } & StoredLine)
  /** Of secrets that the SOP itself spells out `isMasked` says that they were left out. */
  | { readonly type: 'definition'; readonly digest: string; readonly definition: unknown; readonly isMasked?: true }
  | { readonly type: 'document'; readonly document: RunDocument }
  | { readonly type: 'head'; readonly file: string; readonly line: number; readonly head: Head }
  /** The chain that the heads are of, as it ended then. */
  | { readonly type: 'chain'; readonly entries: number; readonly end: HeadMark; readonly endAt?: string }
  | { readonly type: 'log'; readonly executableId: string; readonly attempt: number }
  /** The next piece of the log above, base64. */
  | { readonly type: 'bytes'; readonly bytes: string }
  | {
      readonly type: 'log_end'
      readonly bytes: number
      readonly sha256: string
      readonly isClosed?: true
      /** Bytes of output that were never kept, since a limit was reached. */
      readonly cutBytes?: number
    }
  /** There are no logs any more. */
  | { readonly type: 'logs_removed'; readonly removedAt: string; readonly reason: string }
  /** `sha256` of all bytes before this line; `seal`: the signature of {@link exportText}. */
  | { readonly type: 'end'; readonly lines: number; readonly sha256: string; readonly seal: string }

/** What the last line's signature covers. No other text that the installation signs begins so. */
export const exportText = (sha256: string): string => `sop-engine export ${sha256}`

/** A hash that is fed piece by piece. */
export interface Hasher {
  update(bytes: string | Uint8Array): void
  /** Hex. Ends it. */
  digest(): string
}

/** What the check of an exported file came to. */
export interface ExportCheck extends RunCheck {
  readonly exportedAt?: string
  /** The key that the file says it is signed with. */
  readonly key?: string
}

export interface ExportCheckOptions {
  /** As findings name it. */
  readonly file: string
  readonly sha256Hex: Sha256Hex
  readonly hasher: () => Hasher
  readonly verify: (key: string, text: string, signature: string) => boolean
  /** Public keys that the reader knows to be the installation's. None: the file's own is taken, and said so. */
  readonly keys: readonly string[]
}

interface HeldLog {
  bytes: number
  readonly hasher: Hasher
  sha256?: string
  isClosed?: boolean
}

/** The check of one file; lines are taken in their order. */
export const createExportCheck = (options: ExportCheckOptions) => {
  const { file, sha256Hex, hasher, verify, keys } = options
  const whole = hasher()
  const found: Finding[] = []
  const record: StoredLine[] = []
  const definitions = new Map<string, readonly Finding[]>()
  const heads: { readonly line: number; readonly head: Head }[] = []
  const logs = new Map<string, HeldLog>()
  let about: Extract<ExportLine, { type: 'export' }> | undefined
  let chain: Extract<ExportLine, { type: 'chain' }> | undefined
  let removed: Extract<ExportLine, { type: 'logs_removed' }> | undefined
  let log: HeldLog | undefined
  let recordFile = file
  let lines = 0
  let isEnded = false
  let isForeign = true

  const edited = (message: string): void => void found.push(problem('export_edited', message, { file, line: lines }))

  const take = (text: string, isWhole: boolean): void => {
    lines++
    const line = isWhole ? lineOf(text) : undefined
    if (line !== undefined) isForeign = false
    if (isEnded) return edited('something was put behind the end of the file')
    if (line?.type === 'end') {
      isEnded = true
      return checkEnd(line, text)
    }
    whole.update(isWhole ? `${text}\n` : text)
    if (line === undefined) return isWhole ? edited('a line is none of an export') : undefined
    try {
      takeLine(line)
    } catch {
      // Of the kind that it names, but without what such a line has.
      edited(`a line is none of an export, though it says that it is one of kind "${line.type}"`)
    }
  }

  const takeLine = (line: ExportLine): void => {
    switch (line.type) {
      case 'export':
        about ??= line
        return
      case 'record': {
        const { type: _, file: place, ...stored } = line
        recordFile = place
        record.push(stored)
        return
      }
      case 'definition':
        definitions.set(line.digest, definitionOf(line, file, lines))
        return
      case 'head':
        heads.push({ line: line.line, head: line.head })
        return
      case 'chain':
        chain = line
        return
      case 'log':
        log = { bytes: 0, hasher: hasher() }
        logs.set(`${line.executableId}#${line.attempt}`, log)
        return
      case 'bytes': {
        const bytes = base64Bytes(line.bytes)
        if (bytes === undefined || log === undefined) return edited('a piece of a log was changed')
        log.hasher.update(bytes)
        log.bytes += bytes.length
        return
      }
      case 'log_end':
        if (log === undefined) return edited('the end of a log stands alone')
        log.sha256 = log.hasher.digest()
        log.isClosed = line.isClosed === true
        if (log.sha256 !== line.sha256 || log.bytes !== line.bytes) edited('the log that ends here was changed')
        log = undefined
        return
      case 'logs_removed':
        removed = line
        return
      default:
    }
  }

  const checkEnd = (end: Extract<ExportLine, { type: 'end' }>, text: string): void => {
    const sha256 = whole.digest()
    // The seal covers what stands before it, so of the last line itself only one form is right.
    const { type, seal } = end
    if (text !== JSON.stringify({ type, lines: lines - 1, sha256: end.sha256, seal }))
      edited('the last line was changed: no engine writes it like that')
    if (sha256 !== end.sha256) return edited(`the file was changed: it is not the ${end.lines} lines that were sealed`)
    const key = about?.key ?? ''
    if (!verify(key, exportText(sha256), end.seal))
      found.push(
        problem('export_forged', 'the seal of the file is not that of the key that it names', { file, line: lines }),
      )
  }

  const checkKey = (key: string | undefined): readonly Finding[] => {
    if (key === undefined) return []
    if (keys.length === 0) {
      const wayOut =
        'hold it against the one that "sop verify-audit" prints at the installation, or name that with --key'
      return [notice('key_unknown', `the file is sealed with the key ${key}: ${wayOut}`, { file })]
    }
    if (keys.includes(key)) return []
    return [
      problem('export_forged', `the file is sealed with the key ${key}, which is none of those that you named`, {
        file,
      }),
    ]
  }

  const checkLogs = (
    runId: string,
    sealed: readonly SealedLog[],
  ): ReturnType<Parameters<typeof checkRun>[1]['checkLogs']> => {
    if (removed !== undefined) {
      const message = `its logs were removed on ${removed.removedAt} because ${removed.reason}`
      return { checked: 0, findings: [notice('logs_removed', message, { runId })] }
    }
    return { checked: sealed.length, findings: sealed.flatMap((each) => checkLog(runId, each)) }
  }
  const checkLog = (runId: string, sealed: SealedLog): readonly Finding[] => {
    const { executableId, attempt, sequence } = sealed
    const name = `the log of ${executableId} #${attempt}`
    const held = logs.get(`${executableId}#${attempt}`)
    if (held === undefined && sealed.bytes === 0) return []
    if ((held?.bytes ?? 0) < sealed.bytes && held?.isClosed !== true && sealed.stored !== true)
      return [notice('log_pending', `${name} was not whole when it was exported`, { file, runId, sequence })]
    if (held === undefined) return [problem('log_missing', `${name} is missing`, { file, runId, sequence })]
    return held.sha256 === sealed.sha256
      ? []
      : [problem('log_edited', `${name} is not the one that event ${sequence} tells of`, { file, runId, sequence })]
  }

  const end = (): ExportCheck => {
    if (!isEnded)
      found.push(problem('export_cut_off', `the file ends at line ${lines}, before its seal`, { file, line: lines }))
    if (about === undefined || about.format !== EXPORT_FORMAT) {
      const why =
        about === undefined
          ? 'it does not begin like one'
          : `its format is ${about.format}, and ${EXPORT_FORMAT} is known`
      found.push(problem('export_edited', `the file cannot be read as an export: ${why}`, { file, line: 1 }))
    }
    const { runId = '', sop, key, exportedAt } = about ?? {}
    const trusted = keys.length > 0 ? keys : key === undefined ? [] : [key]
    const witnesses = witnessesOf(heads, { sha256Hex, keys: trusted, verify }, found)
    const check = checkRun(
      record.length === 0 ? undefined : { file: recordFile, lines: record },
      {
        runId,
        heads: witnesses,
        chain: {
          entries: chain?.entries ?? heads.length,
          findings: [],
          ...(chain?.endAt !== undefined && { endAt: chain.endAt }),
        },
        history: 'skipped',
        checkDefinition: (digest) => definitions.get(digest) ?? checkDefinition(digest, undefined),
        checkLogs: (sealed) => checkLogs(runId, sealed),
      },
      sha256Hex,
    )
    const empty = record.length === 0 && check.ok ? [problem('export_cut_off', 'the file has no record', { file })] : []
    const findings = [...check.findings, ...found, ...empty, ...checkKey(key)]
    return {
      ...check,
      ...(sop !== undefined && { sop }),
      ...(key !== undefined && { key }),
      ...(exportedAt !== undefined && { exportedAt }),
      ok: findings.every(({ severity }) => severity === 'notice'),
      findings,
    }
  }
  return { take, end, isForeign: () => isForeign }
}
