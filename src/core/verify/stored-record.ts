// stored-record.ts: a record as it lies in its store, before anybody believed it.

/** One line of it. */
export interface StoredLine {
  /** From 1; absent in a database, where the sequence is the place. */
  readonly line?: number
  /** What stands there; absent where it cannot be read. */
  readonly event?: unknown
  /** The text is not how an engine writes the event: white space, other order of keys, a key twice. */
  readonly isRewritten?: true
  /** Of a database: what the columns say, which the event has to say as well. */
  readonly columns?: { readonly sequence: number; readonly hash: string }
}

export interface StoredRecord {
  /** As people find it: `audit/deploy/sop_run_1.jsonl`, or a table. */
  readonly file: string
  readonly lines: readonly StoredLine[]
  /** Bytes of a last line that was never finished, as after a power failure. */
  readonly unfinishedBytes?: number
  /** Other places that have a record of the run, which one place alone should. */
  readonly others?: readonly string[]
}

/** A definition as it lies in its store. */
export interface StoredDefinition {
  readonly file: string
  /** Absent where it cannot be read. */
  readonly pinned?: unknown
}
