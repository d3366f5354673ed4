// log-order.ts: the order in which the logs of a run are listed.

/** What executables are: the first word of their ids. */
export const EXECUTABLE_KINDS = ['gate', 'step', 'verify', 'rollback'] as const

interface Named {
  readonly executableId: string
  readonly attempt: number
}

/** As the steps stand in the procedure; gates before the first step come first, other gates last. */
export const compareLogs = (a: Named, b: Named): number => {
  const [[stepA, itemA, kindA, nameA], [stepB, itemB, kindB, nameB]] = [rank(a), rank(b)]
  if (stepA !== stepB) return stepA < stepB ? -1 : 1
  if (itemA !== itemB) return itemA - itemB
  // A step and its verification take turns with each attempt; gates stand one after the other.
  return a.attempt - b.attempt || kindA - kindB || (nameA < nameB ? -1 : nameA > nameB ? 1 : 0)
}

/** Step, item of a `for_each` step, kind. */
const rank = ({ executableId }: Named): readonly [number, number, number, string] => {
  const [kind = '', name = ''] = executableId.split(/:(.*)/s)
  const [, step, item = '0'] = (kind === 'gate' ? null : /^(\d+)(?:\[(\d+)\])?$/.exec(name)) ?? []
  const number = step !== undefined ? Number(step) : name.startsWith('pre_') ? -1 : Number.POSITIVE_INFINITY
  return [number, Number(item), EXECUTABLE_KINDS.findIndex((each) => each === kind), name]
}
