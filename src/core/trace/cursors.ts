/** How far the events of a run were told of. */
export interface TraceCursor {
  readonly runId: string
  readonly sequence: number
}

/** Where it is kept how far the traces of runs were told; it survives whoever tells them. */
export interface TraceCursors {
  /** Of those runs; one of which nothing was told is absent. */
  get(runIds: readonly string[]): Promise<ReadonlyMap<string, number>>
  /** Fulfilled when it is kept. */
  set(told: readonly TraceCursor[]): Promise<void>
  /** Forgets all other runs: their records were removed. */
  keep(runIds: readonly string[]): Promise<void>
  /** Since when traces are told: `now` (ISO-8601 UTC) at the first call ever. */
  begun(now: string): Promise<string>
}
