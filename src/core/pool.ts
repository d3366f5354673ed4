// pool.ts: which workers a step goes to. A step names a pool and labels; a worker says what it has; both come together by
// the name of a task queue. Temporal knows nothing of pools, so the name is all that there is: it is wire format.

/** A pool of workers, and what a worker of it must have besides. */
export interface Pool {
  readonly name: string
  /** Sorted, without repetitions. */
  readonly labels: readonly string[]
}

export type PoolReading = { readonly ok: true; readonly pool: Pool } | { readonly ok: false; readonly reason: string }

/** A worker takes from a queue for every set of its labels: with four these are sixteen. */
const MAX_LABELS = 4

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const LABEL = /^[A-Za-z0-9][A-Za-z0-9._=-]{0,62}$/

/** A pool of its name and labels, or why they are none. */
export const readPool = (name: string, labels: readonly string[]): PoolReading => {
  if (!NAME.test(name)) {
    return { ok: false, reason: `${quoted(name)} is no name of a pool: letters, digits, ".", "_" and "-", at most 63` }
  }
  const bad = labels.find((label) => !LABEL.test(label))
  if (bad !== undefined) {
    return { ok: false, reason: `${quoted(bad)} is no label: letters, digits, ".", "_", "=" and "-", at most 63` }
  }
  const own = [...new Set(labels)].sort()
  if (own.length > MAX_LABELS)
    return { ok: false, reason: `it has ${own.length} labels, and at most ${MAX_LABELS} are possible` }
  return { ok: true, pool: { name, labels: own } }
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 80))

/** The pool as definitions, tasks and views spell it: `dba`, or `dba[eu,disk=ssd]`. */
export const poolText = ({ name, labels }: Pool): string =>
  labels.length === 0 ? name : `${name}[${labels.join(',')}]`

/** Reads `dba` and `dba[eu, disk=ssd]`. */
export const parsePool = (text: string): PoolReading => {
  const [, name, inner] = /^([^[\]]*?)\s*(?:\[([^[\]]*)\])?$/s.exec(text.trim()) ?? []
  if (name === undefined) return { ok: false, reason: `${quoted(text)} is no pool, as in "dba" or "dba[eu]"` }
  const labels = (inner ?? '').split(',').map((label) => label.trim())
  return readPool(
    name,
    labels.filter((label) => label !== ''),
  )
}

/** The task queue of the steps that run on this pool. `runsOn` is spelled as `poolText` spells it. */
export const poolQueue = (taskQueue: string, runsOn: string): string => `${taskQueue}-pool-${runsOn}`

/** Every `runs_on` that a worker with these labels serves: its pool with each set of them. */
export const servedBy = ({ name, labels }: Pool): readonly string[] =>
  labels
    .reduce<readonly (readonly string[])[]>((sets, label) => [...sets, ...sets.map((set) => [...set, label])], [[]])
    .map((set) => poolText({ name, labels: set }))
