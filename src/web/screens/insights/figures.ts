import { length } from '../../parts/time-text.ts'

/** Where nothing was measured. */
export const NOTHING = '–'

/** A share as a percentage. */
export const percent = (share: number | null): string =>
  share === null ? NOTHING : `${(share * 100).toLocaleString(undefined, { maximumFractionDigits: 1 })} %`

/** A length of time. */
export const span = (ms: number | null): string => (ms === null ? NOTHING : length(ms))

/** A UTC day for a reader: `21 Nov`. */
export const dayName = (day: string): string =>
  new Date(`${day}T00:00:00Z`).toLocaleDateString(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' })

/** A round number at or above the value, for the top of a scale. */
export const roundUp = (value: number): number => {
  if (value <= 5) return 5
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= value) ?? 10) * power
}
