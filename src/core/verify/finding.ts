import type { HeadMark } from '../heads.ts'

// finding.ts: what a check of records says. The names of the kinds are part of every face.

/** What contradicts a record, or is missing of it. */
export const PROBLEM_KINDS = [
  // An event of a record
  'edited',
  'missing',
  'reordered',
  'duplicated',
  'inserted',
  'replaced',
  'unreadable',
  'foreign',
  'cut_off',
  // A record as a whole
  'rewritten',
  'record_deleted',
  'record_doubled',
  'unsealed',
  // What a record stands on
  'definition_missing',
  'definition_edited',
  'log_missing',
  'log_edited',
  // Against the workflow's history
  'history_missing',
  'history_differs',
  // The chain of heads
  'head_edited',
  'head_missing',
  'head_reordered',
  'head_duplicated',
  'head_replaced',
  'head_unreadable',
  'head_forged',
  'heads_cut_off',
  // A file that was exported
  'export_cut_off',
  'export_edited',
  'export_forged',
] as const
export type ProblemKind = (typeof PROBLEM_KINDS)[number]

/** What a reader should know, though nothing is wrong. */
export const NOTICE_KINDS = [
  'unfinished_line',
  'forked',
  'no_heads',
  'late_head',
  'pending_head',
  'heads_damaged',
  'removed',
  'removal_unfinished',
  'logs_removed',
  'log_pending',
  'history_unavailable',
  'definition_masked',
  'key_unknown',
] as const
export type NoticeKind = (typeof NOTICE_KINDS)[number]

/** Where something stands: a file of the data directory, or a table. */
export interface FindingPlace {
  readonly file: string
  /** From 1. */
  readonly line?: number
}

interface About extends Partial<FindingPlace> {
  /** A sentence. */
  readonly message: string
  readonly runId?: string
  /** The event of the record that shows it. */
  readonly sequence?: number
}
export type Finding =
  | (About & { readonly severity: 'problem'; readonly kind: ProblemKind })
  | (About & { readonly severity: 'notice'; readonly kind: NoticeKind })

/** What is known of a finding besides its kind and its sentence. */
export type FindingAt = Omit<About, 'message'>

export const problem = (kind: ProblemKind, message: string, at: FindingAt = {}): Finding => ({
  severity: 'problem',
  kind,
  message,
  ...at,
})
export const notice = (kind: NoticeKind, message: string, at: FindingAt = {}): Finding => ({
  severity: 'notice',
  kind,
  message,
  ...at,
})

/** Whether the record was held against the workflow's history. `gone`: Temporal does not know the run any more. */
export type HistoryCheck = 'compared' | 'gone' | 'unavailable' | 'skipped'

/** What the check of one run came to. */
export interface RunCheck {
  readonly runId: string
  readonly sop?: string
  /** Nothing is wrong. */
  readonly ok: boolean
  /** How many events the record has. */
  readonly events: number
  /** The last event that a signed head vouches for; 0 where none does. */
  readonly sealedTo: number
  readonly history: HistoryCheck
  /** How many logs were held against a digest of the record. */
  readonly logs: number
  /** In the order of the record. */
  readonly findings: readonly Finding[]
}

/** What the check of all runs of a store came to. */
export interface AuditCheck {
  readonly ok: boolean
  readonly runs: number
  readonly events: number
  /** Entries of the chain of heads, and where it ends: note it elsewhere, and hold it against the chain later. */
  readonly heads: { readonly entries: number; readonly end: HeadMark; readonly key: string }
  readonly history: { readonly compared: number; readonly gone: number; readonly unavailable: number }
  readonly problems: number
  /** How many runs have a notice of each kind. */
  readonly notices: Readonly<Partial<Record<NoticeKind, number>>>
  /** Of the store as a whole: the chain of heads. */
  readonly findings: readonly Finding[]
}
