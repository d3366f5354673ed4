import { constants } from 'node:fs'
import { mkdir, open, truncate } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { HeadLine, HeadStore } from '../activities/deps.ts'
import { SopError } from '../core/errors.ts'
import {
  chainHead,
  type Head,
  type HeadDraft,
  type HeadMark,
  type KnownHead,
  newHead,
  NO_HEADS,
} from '../core/heads.ts'
import type { TextLine } from '../core/split-lines.ts'
import { linesOf } from './shared/file-lines.ts'
import { createInTurn } from './shared/in-turn.ts'
import { sha256Hex } from './shared/native-hash.ts'

// file-heads.ts: the chain of heads as a file, one entry a line. Invariants:
//   H1 one process appends (the data directory is locked by its owner); any process reads.
//   H2 an entry is answered only after fdatasync.
//   H3 what is stored stays: a line is never rewritten, except that an unfinished last one is cut off.
//   H4 the writer goes on from the entry that it wrote last, whatever became of the file: what somebody took away leaves a gap.

export interface FileHeadsOptions {
  readonly dataDir: string
  /** Signs entries; absent for a process that only reads. */
  readonly signer?: HeadSigner
  readonly now?: () => Date
  readonly warn?: (message: string, details: Readonly<Record<string, unknown>>) => void
}

/** The installation that vouches for what is written. */
export interface HeadSigner {
  /** Public half of its key, base64. */
  readonly authority: string
  readonly seal: (text: string) => string
}

/** Where it lies, below the data directory. */
export const HEADS_FILE = 'heads/heads.jsonl'

interface Writer {
  end: HeadMark
  /** What the file's size should be. */
  bytes: number
  readonly known: Map<string, KnownHead>
}

/** Lines that a reader gets at once. */
const PIECE = 500

/** The chain of heads in a data directory. */
export const createFileHeads = ({
  dataDir,
  signer,
  now = () => new Date(),
  warn = () => {},
}: FileHeadsOptions): HeadStore => {
  const path = join(dataDir, HEADS_FILE)
  const inTurn = createInTurn()
  let writer: Promise<Writer> | undefined
  const opened = (): Promise<Writer> => {
    writer ??= openWriter(path, warn)
    writer.catch(() => {
      writer = undefined
    })
    return writer
  }

  const append = async (drafts: readonly HeadDraft[]): Promise<readonly Head[]> => {
    if (signer === undefined)
      throw new SopError('internal', 'Cannot append to the chain of heads: this process has no key')
    const state = await opened()
    const { heads, known } = chainAll(drafts, state, signer, now().toISOString())
    if (heads.length === 0) return []
    const lines = heads.map((head) => `${JSON.stringify(head)}\n`).join('')
    try {
      const size = await appendDurably(path, lines)
      if (size !== state.bytes)
        warn('the chain of heads was changed by another program: see "sop verify-audit"', { path })
      state.bytes = size + Buffer.byteLength(lines)
    } catch (error) {
      // How much of it reached the file is not known: the next append reads it again.
      writer = undefined
      throw error
    }
    state.end = heads.at(-1) ?? state.end
    for (const [runId, each] of known) state.known.set(runId, each)
    return heads
  }

  return {
    append: (drafts) =>
      inTurn('', () => append(drafts)).catch((error: unknown) => {
        throw error instanceof SopError ? error : unwritable(path, error)
      }),
    known: async (runIds) => {
      const { known } = signer === undefined ? await readState(path) : await opened()
      return new Map(runIds.flatMap((runId) => pairOf(runId, known.get(runId))))
    },
    scan: () => scan(path),
    end: async () => (signer === undefined ? (await readState(path)).end : (await opened()).end),
  }
}

const pairOf = (runId: string, known: KnownHead | undefined): readonly (readonly [string, KnownHead])[] =>
  known === undefined ? [] : [[runId, known]]

const unwritable = (path: string, cause: unknown): SopError =>
  new SopError(
    'unavailable',
    `Cannot write the chain of heads "${path}": ${(cause as Error).message}. Look at the disk and the rights of the data directory`,
    {},
    cause,
  )

/** The entries that the drafts come to, one after the other. */
const chainAll = (
  drafts: readonly HeadDraft[],
  state: Pick<Writer, 'end' | 'known'>,
  { authority, seal }: HeadSigner,
  at: string,
): { readonly heads: readonly Head[]; readonly known: ReadonlyMap<string, KnownHead> } => {
  const heads: Head[] = []
  const known = new Map<string, KnownHead>()
  for (const draft of drafts) {
    const news = newHead(known.get(draft.runId) ?? state.known.get(draft.runId), draft)
    if (news === undefined) continue
    heads.push(chainHead(news, heads.at(-1) ?? state.end, at, { key: authority, seal, sha256Hex }))
    known.set(news.runId, { kind: news.kind, sequence: news.sequence })
  }
  return { heads, known }
}

/** Appends and makes durable. @returns the size that the file had before */
const appendDurably = async (path: string, lines: string): Promise<number> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const handle = await open(path, 'a', 0o600)
  try {
    const { size } = await handle.stat()
    await handle.appendFile(lines)
    await handle.datasync()
    if (size === 0) await syncFolder(dirname(path))
    return size
  } finally {
    await handle.close()
  }
}

/** A new file outlives a power loss only once its folder is on disk. */
const syncFolder = async (folder: string): Promise<void> => {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const openWriter = async (path: string, warn: NonNullable<FileHeadsOptions['warn']>): Promise<Writer> => {
  const state = await readState(path)
  if (state.wholeBytes < state.bytes) {
    warn('an unfinished line at the end of the chain of heads was cut off', { path })
    await truncate(path, state.wholeBytes)
  }
  return { ...state, bytes: state.wholeBytes }
}

const readState = async (path: string): Promise<Writer & { readonly wholeBytes: number }> => {
  const known = new Map<string, KnownHead>()
  let end: HeadMark = NO_HEADS
  let [bytes, wholeBytes] = [0, 0]
  for await (const line of linesOf(path)) {
    bytes = line.endsAt
    const head = parseHead(line)
    // A last line without its end was never answered.
    if (head === undefined && line.isLast) continue
    wholeBytes = line.endsAt
    if (head === undefined) continue
    end = { index: head.index, hash: head.hash }
    known.set(head.runId, { kind: head.kind, sequence: head.sequence })
  }
  return { end, known, bytes, wholeBytes }
}

/** Undefined for a line that is none; what it says is the checker's affair. */
const parseHead = ({ text, isWhole }: TextLine): Head | undefined => {
  if (!isWhole) return undefined
  try {
    const head = JSON.parse(text) as Partial<Head> | null
    const isHead =
      typeof head?.index === 'number' &&
      typeof head.hash === 'string' &&
      typeof head.runId === 'string' &&
      typeof head.kind === 'string' &&
      typeof head.sequence === 'number'
    return isHead ? (head as Head) : undefined
  } catch {
    return undefined
  }
}

async function* scan(path: string): AsyncGenerator<readonly HeadLine[]> {
  let piece: HeadLine[] = []
  for await (const line of linesOf(path)) {
    const head = parseHead(line)
    // The writer is at it, or died over it.
    if (head === undefined && line.isLast) continue
    const isRewritten = head !== undefined && JSON.stringify(head) !== line.text ? { isRewritten: true as const } : {}
    piece.push({
      file: HEADS_FILE,
      line: line.number,
      ...(head && { head }),
      ...isRewritten,
    })
    if (piece.length < PIECE) continue
    yield piece
    piece = []
  }
  if (piece.length > 0) yield piece
}
