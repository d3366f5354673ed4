/** A dotted version as numbers; what follows a `-` (a pre-release) is left out. */
export interface Version {
  readonly major: number
  readonly minor: number
  readonly patch: number
}

/** Reads `1.31`, `1.31.2`, `v1.31.2` or `1.32.0-162.0`. Undefined when there is no version in the text. */
export function parseVersion(text: string): Version | undefined {
  const match = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text.trim())
  if (match === null) return undefined
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3] ?? 0) }
}

/** Negative when `a` is older than `b`, 0 when they are the same, positive when newer. A text without a version is the oldest. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [parseVersion(a), parseVersion(b)]
  if (x === undefined || y === undefined) return Number(x !== undefined) - Number(y !== undefined)
  return x.major - y.major || x.minor - y.minor || x.patch - y.patch
}

/** Whether both belong to one minor release, e.g. 1.31.0 and 1.31.2. */
export function isSameMinor(a: string, b: string): boolean {
  const [x, y] = [parseVersion(a), parseVersion(b)]
  return x !== undefined && y !== undefined && x.major === y.major && x.minor === y.minor
}
