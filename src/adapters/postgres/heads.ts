import type { HeadLine, HeadStore } from '../../activities/deps.ts'
import { SopError } from '../../core/errors.ts'
import {
  chainHead,
  type Head,
  type HeadDraft,
  type HeadMark,
  type KnownHead,
  newHead,
  NO_HEADS,
} from '../../core/heads.ts'
import { sha256Hex } from '../shared/native-hash.ts'
import type { Database, Query } from './database.ts'

// heads.ts: the chain of heads in PostgreSQL. Many processes append: whoever does holds a lock of the database, reads where
// the chain ends and adds to it, in one transaction.

export interface PostgresHeadsOptions {
  readonly db: Database
  /** Signs entries; absent for a process that only reads. */
  readonly signer?: { readonly authority: string; readonly seal: (text: string) => string }
  readonly now?: () => Date
}

/** A number of our own for pg_advisory_xact_lock: "SOPh" in ASCII. */
const LOCK = 0x53_4f_50_68
/** Rows that a reader gets at once. */
const PIECE = 500
const TABLE = 'sop_heads'

/** The chain of heads in a database. */
export const createPostgresHeads = ({ db, signer, now = () => new Date() }: PostgresHeadsOptions): HeadStore => {
  /** The farthest end that this process saw: what somebody takes away behind it leaves a gap. */
  let seen = NO_HEADS
  const append = async (drafts: readonly HeadDraft[]): Promise<readonly Head[]> => {
    if (signer === undefined)
      throw new SopError('internal', 'Cannot append to the chain of heads: this process has no key')
    if (drafts.length === 0) return []
    const added = await db.transaction(async (query) => {
      await query('SELECT pg_advisory_xact_lock($1)', [LOCK])
      const known = new Map(await knownHeads(query, [...new Set(drafts.map(({ runId }) => runId))]))
      const heads: Head[] = []
      let end: HeadMark | undefined
      for (const draft of drafts) {
        const news = newHead(known.get(draft.runId), draft)
        if (news === undefined) continue
        end ??= farthest(await readEnd(query), seen)
        const chainer = { key: signer.authority, seal: signer.seal, sha256Hex }
        const head = chainHead(news, end, now().toISOString(), chainer)
        end = head
        heads.push(head)
        known.set(news.runId, { kind: news.kind, sequence: news.sequence })
      }
      if (heads.length > 0) await insert(query, heads)
      return heads
    })
    seen = farthest(added.at(-1) ?? seen, seen)
    return added
  }
  return {
    append,
    known: (runIds) => knownHeads(db.query, runIds),
    scan: () => scan(db),
    end: () => readEnd(db.query),
  }
}

const farthest = (a: HeadMark, b: HeadMark): HeadMark => (a.index >= b.index ? a : b)

const insert = async (query: Query, heads: readonly Head[]): Promise<void> => {
  await query(
    `INSERT INTO ${TABLE} (index, run_id, kind, sequence, hash, head)
       SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::int[], $5::text[], $6::json[])`,
    [
      heads.map(({ index }) => index),
      heads.map(({ runId }) => runId),
      heads.map(({ kind }) => kind),
      heads.map(({ sequence }) => sequence),
      heads.map(({ hash }) => hash),
      heads.map((head) => JSON.stringify(head)),
    ],
  )
}

const knownHeads = async (query: Query, runIds: readonly string[]): Promise<ReadonlyMap<string, KnownHead>> => {
  const rows = await query<KnownHead & { readonly run_id: string }>(
    `SELECT DISTINCT ON (run_id) run_id, kind, sequence FROM ${TABLE} WHERE run_id = ANY($1) ORDER BY run_id, index DESC`,
    [runIds],
  )
  return new Map(rows.map(({ run_id, kind, sequence }) => [run_id, { kind, sequence }]))
}

const readEnd = async (query: Query): Promise<HeadMark> => {
  const [last] = await query<{ index: string; hash: string }>(
    `SELECT index, hash FROM ${TABLE} ORDER BY index DESC LIMIT 1`,
  )
  return last === undefined ? NO_HEADS : { index: Number(last.index), hash: last.hash }
}

async function* scan(db: Database): AsyncGenerator<readonly HeadLine[]> {
  for (let after = 0; ; ) {
    const rows = await db.query<{ index: string; head: Head }>(
      `SELECT index, head FROM ${TABLE} WHERE index > $1 ORDER BY index LIMIT ${PIECE}`,
      [after],
    )
    if (rows.length > 0) yield rows.map(({ index, head }) => ({ file: TABLE, line: Number(index), head }))
    after = Number(rows.at(-1)?.index ?? after)
    if (rows.length < PIECE) return
  }
}
