const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A length of time in at most two units: `840 ms`, `4.2 s`, `3 min 20 s`, `2 d 4 h`. */
export const renderDuration = (ms: number): string => {
  if (ms < SECOND) return `${Math.round(ms)} ms`
  if (ms < MINUTE) return `${(ms / SECOND).toFixed(1)} s`
  if (ms < HOUR) return twoUnits(ms, MINUTE, 'min', SECOND, 's')
  return ms < DAY ? twoUnits(ms, HOUR, 'h', MINUTE, 'min') : twoUnits(ms, DAY, 'd', HOUR, 'h')
}

const twoUnits = (ms: number, big: number, bigName: string, small: number, smallName: string): string => {
  const rest = Math.floor((ms % big) / small)
  return `${Math.floor(ms / big)} ${bigName}${rest > 0 ? ` ${rest} ${smallName}` : ''}`
}

/** `3 min ago`, `in 2 h`, `now`. A text that is no time is shown as it is. */
export const renderAgo = (instant: string, now: number): string => {
  const at = Date.parse(instant)
  if (Number.isNaN(at)) return instant
  const distance = Math.abs(now - at)
  if (distance < SECOND) return 'now'
  const text = oneUnit(distance)
  return at <= now ? `${text} ago` : `in ${text}`
}

const oneUnit = (ms: number): string => {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`
  return ms < 2 * DAY ? `${Math.floor(ms / HOUR)} h` : `${Math.floor(ms / DAY)} d`
}

/** An instant for people: relative, or with `absolute` in UTC. */
export const renderInstant = (instant: string | undefined, now: number, absolute: boolean): string => {
  if (instant === undefined) return ''
  return absolute ? renderUtc(instant) : renderAgo(instant, now)
}

/** `2026-02-25 13:00:05 UTC`. */
export const renderUtc = (instant: string): string => {
  const at = Date.parse(instant)
  return Number.isNaN(at) ? instant : `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

/** Time of day in UTC, for lines of progress. */
export const renderClock = (now: number): string => new Date(now).toISOString().slice(11, 19)
