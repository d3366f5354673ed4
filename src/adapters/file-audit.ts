import { appendFile, mkdir, open, readdir, readFile, rename, stat, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AuditListener, AuditStore, RunHeader, SopSource } from '../activities/deps.ts'
import { chainEvent, GENESIS_HASH } from '../core/audit-chain.ts'
import { encodeFileName, encodeFolderName } from '../core/file-name.ts'
import { isClosedAfter, logLines, runDocument } from '../core/run-document.ts'
import { parseRecord } from '../core/record-lines.ts'
import { readRemoval, removeDefinitions, removeRecord } from './shared/removed-records.ts'
import { createInTurn } from './shared/in-turn.ts'
import { sha256Hex } from './shared/native-hash.ts'
import type { RecordedEvent, RunEvent } from '../core/run/event.ts'
import type { PinnedSop } from '../core/run/run.ts'
import { orEmpty } from './shared/missing-file.ts'
import { keepOnce, readKept } from './shared/kept-files.ts'
import { createTailReader } from './shared/record-tail.ts'

// file-audit.ts: the record as files (docs/decisions/0005-audit-files.md). Invariants:
//   A1 one process appends (the data directory is locked by its owner); any process may read.
//   A2 a sequence is acknowledged only after fdatasync of the file that holds it.
//   A3 what is stored stays: a line is never rewritten, except that an unfinished last one is cut off.
//   A4 the appends of one run follow each other; runs do not wait for each other.

export interface FileAuditOptions {
  /** The engine's data directory; `audit/` and `definitions/` are made in it. */
  readonly dataDir: string
  readonly listeners?: readonly AuditListener[]
  /** Hears of trouble that must not fail a run. */
  readonly warn?: (message: string, details: Readonly<Record<string, unknown>>) => void
}

/** Runs whose chain is kept in memory; an older one is read from its file again. */
const MAX_OPEN_RUNS = 500

interface Chain {
  readonly path: string
  /** Hash of each event; that of sequence `n` stands at `n - 1`. */
  readonly hashes: string[]
  /** Read from a file that nobody has synced since. */
  unsynced: boolean
  /** Settles when the readable log has all that was said so far. */
  logged?: Promise<void>
  isClosed: boolean
}

export interface FileAudit extends AuditStore {
  /** Waits until all that was appended so far stands in the readable logs, too. */
  flush(): Promise<void>
}

/** The audit store on files below the data directory. */
export const createFileAudit = ({ dataDir, listeners = [], warn = () => {} }: FileAuditOptions): FileAudit => {
  const root = join(dataDir, 'audit')
  const tails = createTailReader((runId) => findRecord(root, runId))
  const chains = new Map<string, Chain>()
  const turns = new Map<string, Promise<unknown>>()

  const inTurn = createInTurn(turns)

  const chainOf = async (run: RunHeader): Promise<Chain> => {
    const known = chains.get(run.runId)
    // Most recently used last, so that the first is the one to forget.
    chains.delete(run.runId)
    const chain = known ?? (await openChain(await locate(root, run), warn))
    chains.set(run.runId, chain)
    for (const runId of chains.keys()) {
      if (chains.size <= MAX_OPEN_RUNS) break
      chains.delete(runId)
    }
    return chain
  }

  const tell = async (run: RunHeader, chain: Chain, events: readonly RecordedEvent[]): Promise<void> => {
    const history = (): Promise<readonly RecordedEvent[]> => readEvents(chain.path)
    for (const listener of listeners) {
      await listener
        .appended(run, events, history)
        .catch((error: unknown) => warn('a listener of the record failed', { runId: run.runId, error }))
    }
    await writeDocuments(run, chain, events, warn).catch((error: unknown) =>
      warn('the run document cannot be written', { runId: run.runId, error }),
    )
  }

  const append = async (run: RunHeader, events: readonly RunEvent[]): Promise<number> => {
    let chain: Chain | undefined
    const stored = (): number => chain?.hashes.length ?? chains.get(run.runId)?.hashes.length ?? 0
    const before = stored()
    try {
      chain = await chainOf(run)
      const fresh = await sortOut(run, chain, events, warn)
      if (fresh.length > 0 || chain.unsynced) await appendLines(chain.path, fresh)
      chain.unsynced = false
      chain.hashes.push(...fresh.map((event) => event.hash))
      if (fresh.length > 0) await tell(run, chain, fresh)
      return stored()
    } catch (error) {
      warn('the record cannot be written', { runId: run.runId, error })
      // How much of it reached the file is not known: the next append reads it again.
      chains.delete(run.runId)
      return chain === undefined ? before : chain.hashes.length
    }
  }

  return {
    append: (run, events) => inTurn(run.runId, () => append(run, events)),
    read: tails.read,
    keepDefinition: (pinned) => keepOnce(join(dataDir, 'definitions'), pinned.digest, pinned),
    readDefinition: (digest) => readKept<PinnedSop>(join(dataDir, 'definitions'), digest),
    keepSource: (digest, source) => keepOnce(join(dataDir, 'definitions', 'sources'), digest, source),
    readSource: (digest) => readKept<SopSource>(join(dataDir, 'definitions', 'sources'), digest),
    remove: (removal) =>
      inTurn(removal.runId, async () => {
        const removed = await removeRecord(root, removal)
        if (!removed) return false
        chains.delete(removal.runId)
        tails.forget(removal.runId)
        return true
      }),
    removal: (runId) => readRemoval(root, runId),
    removeDefinitions: (isUsed, before) => removeDefinitions(join(dataDir, 'definitions'), isUsed, before),
    flush: async () => {
      await Promise.all([...turns.values()])
      await Promise.all([...chains.values()].map(async (chain) => chain.logged))
    },
  }
}

/** The events that are new, chained. Known ones are passed over; a gap ends the batch, since a chain has none. */
const sortOut = async (
  run: RunHeader,
  chain: Chain,
  events: readonly RunEvent[],
  warn: NonNullable<FileAuditOptions['warn']>,
): Promise<readonly RecordedEvent[]> => {
  const fresh: RecordedEvent[] = []
  for (const event of events) {
    const next = chain.hashes.length + fresh.length + 1
    if (event.sequence > next) {
      warn('an event does not follow the record and was not taken', { runId: run.runId, expected: next, event })
      break
    }
    const previous = fresh.at(-1)?.hash ?? chain.hashes.at(-1)
    if (event.sequence === next) fresh.push(chainEvent(event, previous ?? GENESIS_HASH, sha256Hex))
    else if (event.sequence <= chain.hashes.length) await noteFork(chain, event, warn)
  }
  return fresh
}

/** Another event under a known sequence: the stored one stays, the other is kept beside for whoever looks into it. */
const noteFork = async (chain: Chain, event: RunEvent, warn: NonNullable<FileAuditOptions['warn']>): Promise<void> => {
  const stored = chain.hashes[event.sequence - 1]
  const previous = chain.hashes[event.sequence - 2] ?? GENESIS_HASH
  // In a damaged record nothing is left to compare with.
  if (stored === '' || previous === '') return
  if (chainEvent(event, previous, sha256Hex).hash === stored) return
  warn('conflict: the record holds another event under this sequence', { runId: event.runId, sequence: event.sequence })
  const line = JSON.stringify({ seenAt: new Date().toISOString(), conflict: event.sequence, stored, event })
  await appendFile(chain.path.replace(/\.jsonl$/, '.forks.jsonl'), `${line}\n`, { mode: 0o600 })
}

/** Appends and makes durable; without lines it only makes durable what is there. */
const appendLines = async (path: string, events: readonly RecordedEvent[]): Promise<void> => {
  const handle = await open(path, 'a', 0o600)
  try {
    if (events.length > 0) await handle.appendFile(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

/** Where the record of the run is, or will be: an id keeps its place whatever SOP a later batch names. */
const locate = async (root: string, run: RunHeader): Promise<string> => {
  const path = join(root, encodeFolderName(run.sop), `${encodeFileName(run.runId)}.jsonl`)
  if (await exists(path)) return path
  const found = await findRecord(root, run.runId)
  if (found !== undefined) return found
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  await writeFile(path, '', { flag: 'a', mode: 0o600 })
  for (const folder of [dirname(path), root]) await syncFolder(folder)
  return path
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** A new file outlives a power loss only once its folder is on disk. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const findRecord = async (root: string, runId: string): Promise<string | undefined> => {
  const name = `${encodeFileName(runId)}.jsonl`
  const folders = await readdir(root).catch(() => [])
  const found = await Promise.all(
    folders.map(async (folder) => ((await exists(join(root, folder, name))) ? folder : '')),
  )
  const folder = found.find((each) => each !== '')
  return folder === undefined ? undefined : join(root, folder, name)
}

/** Reads the chain of a record and cuts an unfinished last line off. */
const openChain = async (path: string, warn: NonNullable<FileAuditOptions['warn']>): Promise<Chain> => {
  const bytes = await readFile(path)
  const { events, wholeBytes } = parseRecord(bytes)
  if (wholeBytes < bytes.length) {
    warn('an unfinished line at the end of a record was cut off', { path, bytes: bytes.length - wholeBytes })
    await truncate(path, wholeBytes)
  }
  return {
    path,
    hashes: hashesOf(path, events, warn),
    unsynced: bytes.length > 0,
    isClosed: isClosedAfter(false, events),
  }
}

/** A record that somebody damaged is still continued; `verifyChain` tells of it. Its gaps are empty texts here. */
const hashesOf = (
  path: string,
  events: readonly RecordedEvent[],
  warn: NonNullable<FileAuditOptions['warn']>,
): string[] => {
  const damaged = events.find((event, index) => event.sequence !== index + 1)
  if (damaged === undefined) return events.map((event) => event.hash)
  warn('a record is damaged: see "sop verify-audit"', { path, sequence: damaged.sequence })
  const hashes: string[] = []
  for (const event of events) hashes[event.sequence - 1] = event.hash
  return Array.from(hashes, (hash) => hash ?? '')
}

const readEvents = async (path: string): Promise<readonly RecordedEvent[]> =>
  parseRecord(await readFile(path).catch(orEmpty)).events

/** The readable log grows with the run; both documents are written anew, from the whole record, when it closes. */
const writeDocuments = async (
  run: RunHeader,
  chain: Chain,
  events: readonly RecordedEvent[],
  warn: NonNullable<FileAuditOptions['warn']>,
): Promise<void> => {
  const base = chain.path.replace(/\.jsonl$/, '')
  chain.isClosed = isClosedAfter(chain.isClosed, events)
  if (!chain.isClosed) {
    // For readers only, so no step waits for it; it is written anew when the run closes.
    const before = chain.logged
    chain.logged = (async () => {
      await before
      await appendFile(`${base}.log`, events.map(logLines).join(''), { mode: 0o600 })
    })().catch((error: unknown) => warn('the readable log cannot be written', { runId: run.runId, error }))
    return
  }
  await chain.logged
  const all = await readEvents(chain.path)
  await replaceFile(`${base}.json`, `${JSON.stringify(runDocument(run.sop, all), null, 2)}\n`)
  await replaceFile(`${base}.log`, all.map(logLines).join(''))
}

const replaceFile = async (path: string, text: string): Promise<void> => {
  await writeFile(`${path}.tmp`, text, { mode: 0o600 })
  await rename(`${path}.tmp`, path)
}
