/** One place in which two values are not the same. */
export interface Difference {
  /** Where, as in `[0].task.timeoutMs`; empty for the value itself. */
  readonly path: string
  /** As JSON, shortened; undefined where there was nothing. */
  readonly was?: string
  readonly would?: string
}

/** No more than this many differences of one pair of values are told. */
const MOST = 5
const MAX_TEXT = 160

/**
 * How a value of this build is not what it was. `added` are keys that only this build knows: that is how a format grows,
 * and no break.
 */
export interface Differences {
  readonly changed: readonly Difference[]
  readonly added: readonly Difference[]
}

export const differencesOf = (was: unknown, would: unknown): Differences => {
  const changed: Difference[] = []
  const added: Difference[] = []
  const tell = (list: Difference[], path: string, before: unknown, after: unknown): void => {
    if (list.length >= MOST) return
    const [old, now] = [textOf(before), textOf(after)]
    list.push({ path, ...(old !== undefined && { was: old }), ...(now !== undefined && { would: now }) })
  }
  const visit = (path: string, before: unknown, after: unknown): void => {
    if (Object.is(before, after)) return
    if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
      for (const [index, each] of before.entries()) visit(`${path}[${index}]`, each, after[index])
    } else if (isTable(before) && isTable(after)) {
      for (const [key, value] of Object.entries(before)) {
        if (value !== undefined) visit(below(path, key), value, after[key])
      }
      for (const [key, value] of Object.entries(after)) {
        if (value !== undefined && before[key] === undefined) tell(added, below(path, key), undefined, value)
      }
    } else tell(changed, path, before, after)
  }
  visit('', was, would)
  return { changed, added }
}

const isTable = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const below = (path: string, key: string): string =>
  /^[A-Za-z_]\w*$/.test(key) ? `${path}${path === '' ? '' : '.'}${key}` : `${path}[${JSON.stringify(key)}]`

const textOf = (value: unknown): string | undefined => {
  if (value === undefined) return undefined
  const text = JSON.stringify(value)
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}
