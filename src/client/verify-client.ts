import type { HeadMark } from '../core/heads.ts'
import type { AuditCheck, RunCheck } from '../core/verify/finding.ts'

export type { HeadMark } from '../core/heads.ts'
export type * from '../core/verify/finding.ts'

/** How records are checked. */
export interface VerifyOptions {
  /** Public keys whose heads count besides the installation's own, base64: of a key that was replaced. */
  readonly keys?: readonly string[]
  /** A head that was noted elsewhere: the chain has to have it. */
  readonly head?: HeadMark
  /** `false`: Temporal is not asked. Default: it is, where it still knows the run. */
  readonly history?: boolean
}

/** What a check of all runs tells while it goes on. */
export type VerifyNews =
  /** `total` grows while runs are found. */
  | { readonly kind: 'progress'; readonly checked: number; readonly total: number }
  /** A run with a problem. */
  | { readonly kind: 'run'; readonly run: RunCheck }
  /** The last one. */
  | { readonly kind: 'done'; readonly audit: AuditCheck }

/** Records that can be checked, and taken elsewhere. */
export interface VerifyClient {
  /**
   * Holds the record of a run against its own chain, the heads, the list of runs, its definition, its logs and the
   * workflow's history. A finding is an answer, no error. `not_found` where nothing knows the run. Needs: viewer.
   */
  verifyRun(ref: string, options?: VerifyOptions): Promise<RunCheck>
  /** The same for all runs, also those that only a head, the list or Temporal remembers. Needs: viewer. */
  verifyAudit(options?: VerifyOptions & { readonly signal?: AbortSignal }): AsyncIterable<VerifyNews>
  /**
   * Everything about a run as the lines of one file, each with its line feed, sealed with the installation's key: the check
   * of such a file needs nothing else. `not_found`. Needs: viewer.
   */
  exportRun(ref: string, options?: { readonly signal?: AbortSignal }): AsyncIterable<string>
}
