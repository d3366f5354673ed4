import { SopError } from './errors.ts'

/**
 * A place in the logs of a run, as the ids of a stream's events say it: `<step>.<attempt>.<source>.<offset>`, with the item
 * of a `for_each` step behind its number: `3[5].1.step.0`.
 */
export interface LogPosition {
  readonly step: number
  readonly attempt: number
  readonly source: string
  readonly item?: number
  readonly offset: number
}

export const renderLogPosition = ({ step, attempt, source, item, offset }: LogPosition): string =>
  `${step}${item === undefined ? '' : `[${item}]`}.${attempt}.${encodeURIComponent(source)}.${offset}`

/** @throws SopError `invalid` for an id that no stream of ours sent. */
export const parseLogPosition = (id: string): LogPosition => {
  const parts = /^(\d{1,6})(?:\[(\d{1,6})\])?\.(\d{1,6})\.([^/]{1,600})\.(\d{1,15})$/.exec(id)
  try {
    if (parts !== null) {
      const [, step, item, attempt, source = '', offset] = parts
      return {
        step: Number(step),
        attempt: Number(attempt),
        source: decodeURIComponent(source),
        ...(item !== undefined && { item: Number(item) }),
        offset: Number(offset),
      }
    }
  } catch {
    // Broken percent encoding: as wrong as any other foreign id.
  }
  throw new SopError(
    'invalid',
    `Cannot resume the log at "${id.slice(0, 100)}": expected the id of an event of this stream`,
  )
}
