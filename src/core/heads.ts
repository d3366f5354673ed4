import type { Sha256Hex } from './audit-chain.ts'
import { GENESIS_HASH } from './audit-chain.ts'
import { canonicalJson } from './canonical.ts'

// heads.ts: the chain of heads: one append-only list for each store that says how far the record of each run was, each
// entry chained to the one before and signed with the installation's key. A record proves its own order and content; the
// chain of heads proves that the record is there at all, and that nobody made its hashes anew. docs/decisions/0025.

/** What an entry says of its run. The names are wire format. */
export const HEAD_KINDS = [
  /** The chain knows of the run from here on: it got its first event, or was there before the chain was. */
  'opened',
  /** The run went on and is not closed. */
  'checkpoint',
  /** The run was closed with this event. A retry opens it again, and other entries follow. */
  'closed',
  /** The record was removed on purpose: a tombstone. */
  'removed',
] as const
export type HeadKind = (typeof HEAD_KINDS)[number]

/** Why a record is gone: part of its tombstone. */
export interface HeadRemoval {
  /** Completes "the record was removed because …". */
  readonly reason: string
  /** Who removed it: the id of a principal. */
  readonly by?: string
  /** When the run began and ended; ISO-8601 UTC. */
  readonly openedAt?: string
  readonly closedAt?: string
}

/** What is to be said of a run. */
export interface HeadDraft {
  readonly kind: HeadKind
  readonly runId: string
  readonly sop: string
  /** The last event that the entry vouches for. Sequences have no gaps, so it is also how many events there are. */
  readonly sequence: number
  /** `hash` of that event. */
  readonly eventHash: string
  /**
   * The entry came after the fact: the record was there when somebody looked, as after a crash or an upgrade from a
   * version without heads. It proves nothing about the time before `at`.
   */
  readonly late?: true
  /** With `removed`. */
  readonly removal?: HeadRemoval
}

/** An entry as the store holds it, with its keys in this order. */
export interface Head extends HeadDraft {
  /** From 1, without gaps. */
  readonly index: number
  /** When it was written; ISO-8601 UTC. */
  readonly at: string
  /** Public half of the key that signed it: raw Ed25519, base64. */
  readonly key: string
  readonly previousHash: string
  /** SHA-256, in hex, over the canonical JSON of the entry without `hash` and `signature`. */
  readonly hash: string
  /** Signature of {@link headText} of the hash, base64. */
  readonly signature: string
}

/** Where the chain ends: what somebody may write down elsewhere, and hold against it later. */
export type HeadMark = Pick<Head, 'index' | 'hash'>

/** Before the first entry. */
export const NO_HEADS: HeadMark = { index: 0, hash: GENESIS_HASH }

/** What the signature of an entry covers. No other text that the installation signs begins so. */
export const headText = (hash: string): string => `sop-engine head ${hash}`

/** Puts entries at the end of a chain. */
export interface HeadChainer {
  readonly sha256Hex: Sha256Hex
  /** Public half of the key, base64. */
  readonly key: string
  /** Signs a text with the private half. */
  readonly seal: (text: string) => string
}

/** The entry that follows `after`. */
export const chainHead = (draft: HeadDraft, after: HeadMark, at: string, chainer: HeadChainer): Head => {
  const { key, seal, sha256Hex } = chainer
  const unsigned = unsignedOf({ ...draft, index: after.index + 1, at, key, previousHash: after.hash })
  const hash = sha256Hex(canonicalJson(unsigned))
  return { ...unsigned, hash, signature: seal(headText(hash)) }
}

/** The hash that an entry should have. */
export const hashOfHead = (head: Head, sha256Hex: Sha256Hex): string => {
  const { hash: _h, signature: _s, ...unsigned } = head
  return sha256Hex(canonicalJson(unsigned))
}

const unsignedOf = (head: Omit<Head, 'hash' | 'signature'>): Omit<Head, 'hash' | 'signature'> => ({
  index: head.index,
  at: head.at,
  kind: head.kind,
  runId: head.runId,
  sop: head.sop,
  sequence: head.sequence,
  eventHash: head.eventHash,
  ...(head.late && { late: head.late }),
  ...(head.removal && { removal: head.removal }),
  key: head.key,
  previousHash: head.previousHash,
})

/** What the chain knows of a run: its newest entry. */
export type KnownHead = Pick<Head, 'kind' | 'sequence'>

/**
 * The entry that a draft comes to, by what the chain knows of its run; undefined where it says nothing new, so that
 * telling it twice is harmless. Progress of a run that the chain does not know opens it, late.
 */
export const newHead = (known: KnownHead | undefined, draft: HeadDraft): HeadDraft | undefined => {
  const isNew = known === undefined || known.kind === 'removed'
  switch (draft.kind) {
    case 'opened':
      return isNew ? draft : undefined
    case 'checkpoint':
      if (isNew) return { ...draft, kind: 'opened', late: true }
      return draft.sequence > known.sequence ? draft : undefined
    case 'closed':
      if (isNew) return known === undefined ? { ...draft, late: true } : undefined
      return draft.sequence > known.sequence || (draft.sequence === known.sequence && known.kind !== 'closed')
        ? draft
        : undefined
    case 'removed':
      return known?.kind === 'removed' ? undefined : draft
    default:
      return draft.kind satisfies never
  }
}
