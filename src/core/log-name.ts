import type { ExecutableId } from './run/task.ts'

/** One log of a run, as people and programs name it. */
export interface LogName {
  /** 0 for gates. */
  readonly stepNumber: number
  readonly attempt: number
  /** `step`, `verify`, `rollback` or a gate's key. */
  readonly source: string
  /** For one item of a `for_each` step, from 1. */
  readonly item?: number
}

/** What names a log wants; what it does not say fits all. */
export interface LogWish {
  readonly step?: number
  readonly attempt?: number
  readonly source?: string
  readonly item?: number
}

/** The name of a log by the executable that wrote it: `step:3[5]` is item 5 of step 3. */
export const logNameOf = ({
  executableId,
  attempt,
}: {
  readonly executableId: ExecutableId
  readonly attempt: number
}): LogName => {
  const colon = executableId.indexOf(':')
  const [kind, id] = [executableId.slice(0, colon), executableId.slice(colon + 1)]
  if (kind === 'gate') return { stepNumber: 0, attempt, source: id }
  const [, step, item] = /^(\d+)(?:\[(\d+)\])?$/.exec(id) ?? []
  return { stepNumber: Number(step ?? 0), attempt, source: kind, ...(item !== undefined && { item: Number(item) }) }
}

/** Whether the wish means the log. Without a source it is that of the step itself. */
export const isWantedLog = (log: { readonly executableId: ExecutableId; readonly attempt: number }, wish: LogWish) => {
  const { stepNumber, attempt, source, item } = logNameOf(log)
  const isGate = log.executableId.startsWith('gate:')
  return (
    (wish.step === undefined || wish.step === stepNumber) &&
    (wish.attempt === undefined || wish.attempt === attempt) &&
    (wish.item === undefined || wish.item === item) &&
    (wish.source === undefined
      ? wish.step === undefined || source === 'step'
      : wish.source === source || (isGate && wish.source === 'gate'))
  )
}
