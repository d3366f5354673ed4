import { generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFileAudit } from '../../../src/adapters/file-audit.ts'
import { createFileHeads, HEADS_FILE, type HeadSigner } from '../../../src/adapters/file-heads.ts'
import { createFileLogs } from '../../../src/adapters/file-logs.ts'
import { createFileRecords } from '../../../src/adapters/file-records.ts'
import { followFileRunIndex, openFileRunIndex } from '../../../src/adapters/file-run-index.ts'
import { markForks } from '../../../src/adapters/forked-audit.ts'
import { sha256Hex } from '../../../src/adapters/shared/native-hash.ts'
import { chainEvent, GENESIS_HASH } from '../../../src/core/audit-chain.ts'
import { digestOf } from '../../../src/core/canonical.ts'
import { chainHead, type Head, NO_HEADS } from '../../../src/core/heads.ts'
import type { RecordedEvent, RunEvent } from '../../../src/core/run/event.ts'
import type { PinnedSop } from '../../../src/core/run/run.ts'
import type { ImpliedEvents } from '../../../src/core/verify/history.ts'
import type { HistoryAnswer } from '../../../src/client/run-history.ts'
import { type VerifyDeps, verifyAudit, verifyRun } from '../../../src/client/verify.ts'
import type { AuditCheck, RunCheck, VerifyOptions } from '../../../src/client/verify-client.ts'
import { createHeadKeeper } from '../../../src/worker/head-keeper.ts'
import { tempDir, wholeRun } from '../../adapters/support/records.ts'
import { bash, sopOf } from '../../support/definitions.ts'

// verified-store.ts: a store of files as an engine writes it, hands that change it behind its back, and the check.

/** A key of an installation. */
export const newSigner = (): HeadSigner => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    authority: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64'),
    seal: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
  }
}
const SIGNER = newSigner()

export const SOP = 'deploy'
const DEFINITION = sopOf({ name: SOP, steps: [{ title: 'Build', action: bash('build') }] })
export const DIGEST = digestOf(DEFINITION)
export const PINNED = { definition: DEFINITION, digest: DIGEST, warrants: {}, authority: SIGNER.authority } as PinnedSop

/** A whole run of the SOP, that begins now unless it says otherwise. */
export const eventsOf = (runId: string, startMs = Date.now()): readonly RunEvent[] =>
  wholeRun(runId, startMs).map((event) =>
    event.eventType === 'run_created' ? { ...event, details: { ...event.details, digest: DIGEST } } : event,
  )

/** An engine's stores on files, without Temporal: what its histories say is given by hand. */
export const openVerified = async (dataDir = tempDir(), signer = SIGNER) => {
  const index = await openFileRunIndex({ dataDir })
  const heads = createFileHeads({ dataDir, signer })
  const quiet = { warn: () => {}, info: () => {} }
  const keeper = createHeadKeeper({ heads, index, log: quiet, isOnlyWriter: true, writeAfterMs: 60_000 })
  const files = createFileAudit({ dataDir, listeners: [index, keeper] })
  keeper.start(files)
  const audit = markForks(files)
  await audit.keepDefinition(PINNED)
  const histories = new Map<string, ImpliedEvents>()
  let answer: HistoryAnswer | undefined
  const logs = createFileLogs({ dataDir })
  const deps: VerifyDeps = {
    records: { index, logs, heads, flushHeads: keeper.flush, raw: createFileRecords({ dataDir }) },
    histories: {
      of: async (runId) => answer ?? histories.get(runId) ?? 'gone',
      ids: async function* () {
        yield [...histories.keys()]
      },
    },
    authority: signer.authority,
    secondLookMs: 0,
  }
  return {
    dataDir,
    audit,
    files,
    index,
    heads,
    keeper,
    logs,
    histories,
    deps,
    signer,
    path: (runId: string) => join(dataDir, 'audit', SOP, `${runId}.jsonl`),
    headsPath: join(dataDir, HEADS_FILE),
    definitionPath: join(dataDir, 'definitions', `${DIGEST}.json`),
    temporalSays: (said: HistoryAnswer) => {
      answer = said
    },
    verify: (runId: string, options?: VerifyOptions): Promise<RunCheck> => verifyRun(deps, runId, options),
    verifyAll: (options?: VerifyOptions) => verifyWhole(deps, options),
    /** Ends the engine in order. */
    close: async () => {
      await files.flush()
      await keeper.close()
      await index.flush()
    },
  }
}
export type VerifiedStore = Awaited<ReturnType<typeof openVerified>>

/** Another process that reads what lies there. */
export const follow = ({ dataDir, signer }: Pick<VerifiedStore, 'dataDir' | 'signer'>): VerifyDeps => ({
  records: {
    index: followFileRunIndex({ dataDir }),
    logs: createFileLogs({ dataDir }),
    heads: createFileHeads({ dataDir }),
    flushHeads: async () => {},
    raw: createFileRecords({ dataDir }),
  },
  histories: { of: async () => 'gone', ids: async function* () {} },
  authority: signer.authority,
  secondLookMs: 0,
})

export const verifyWhole = async (
  deps: VerifyDeps,
  options?: VerifyOptions,
): Promise<{ readonly audit: AuditCheck; readonly runs: readonly RunCheck[] }> => {
  const runs: RunCheck[] = []
  for await (const news of verifyAudit(deps, options)) {
    if (news.kind === 'run') runs.push(news.run)
    if (news.kind === 'done') return { audit: news.audit, runs }
  }
  throw new Error('the check has no end')
}

/** The lines of a file, without their ends. */
export const linesIn = (path: string): string[] => readFileSync(path, 'utf8').trimEnd().split('\n')
export const writeLines = (path: string, lines: readonly string[]): void => writeFileSync(path, `${lines.join('\n')}\n`)

/** Changes the lines of a file. */
export const editLines = (path: string, edit: (lines: readonly string[]) => readonly string[]): void =>
  writeLines(path, edit(linesIn(path)))

/** Changes the event in a line as somebody with an editor would: its hash stays. */
export const editEvent = (path: string, line: number, changes: object): void =>
  editLines(path, (lines) =>
    lines.map((text, at) => (at === line - 1 ? JSON.stringify({ ...read(text), ...changes }) : text)),
  )

export const read = (text: string): RecordedEvent => JSON.parse(text) as RecordedEvent
export const readHead = (text: string): Head => JSON.parse(text) as Head

/** What somebody does who knows how records are made: numbers and hashes all events anew. */
export const rehash = (events: readonly RunEvent[]): readonly string[] => {
  let before = GENESIS_HASH
  return events.map((event, at) => {
    const chained = chainEvent({ ...event, sequence: at + 1 }, before, sha256Hex)
    before = chained.hash
    return JSON.stringify(chained)
  })
}

/** Chains entries anew and signs them with a key. */
export const rechain = (heads: readonly Head[], signer: HeadSigner): readonly string[] => {
  let before: Pick<Head, 'index' | 'hash'> = NO_HEADS
  return heads.map((head) => {
    const { kind, runId, sop: name, sequence, eventHash } = head
    const draft = { kind, runId, sop: name, sequence, eventHash }
    const chained = chainHead(draft, before, head.at, { key: signer.authority, seal: signer.seal, sha256Hex })
    before = chained
    return JSON.stringify(chained)
  })
}
