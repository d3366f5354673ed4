import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cronProblem, parseCron } from '../../../src/core/schedule/cron.ts'
import { type CalendarSpec, type FireSpec, fireSpec, type Range } from '../../../src/core/schedule/fire-spec.ts'
import { firesBetween } from '../../../src/core/schedule/fires.ts'
import { wallTime } from '../../../src/core/local-time.ts'

const BERLIN = 'Europe/Berlin'
const NEW_YORK = 'America/New_York'
const LORD_HOWE = 'Australia/Lord_Howe'
const ZONES = [BERLIN, NEW_YORK, LORD_HOWE]

const next = (expression: string, zone: string, from: string, limit: number): readonly string[] =>
  firesBetween(parseCron(expression), zone, { fromMs: Date.parse(from), toMs: Number.POSITIVE_INFINITY, limit }).map(
    (at) => new Date(at).toISOString().replace(':00.000Z', 'Z'),
  )

describe('a local time that does not exist fires at the next one that does', () => {
  test.each([
    ['30 2 * * *', BERLIN, '2027-03-27T12:00Z', ['2027-03-28T01:00Z', '2027-03-29T00:30Z']],
    ['0 2 * * *', BERLIN, '2027-03-27T12:00Z', ['2027-03-28T01:00Z', '2027-03-29T00:00Z']],
    ['59 1 * * *', BERLIN, '2027-03-27T12:00Z', ['2027-03-28T00:59Z', '2027-03-28T23:59Z']],
    ['0 3 * * *', BERLIN, '2027-03-27T12:00Z', ['2027-03-28T01:00Z', '2027-03-29T01:00Z']],
    ['*/20 2 * * *', BERLIN, '2027-03-27T12:00Z', ['2027-03-28T01:00Z', '2027-03-29T00:00Z', '2027-03-29T00:20Z']],
    ['0,30 2,3 * * *', BERLIN, '2027-03-27T12:00Z', ['2027-03-28T01:00Z', '2027-03-28T01:30Z', '2027-03-29T00:00Z']],
    ['15 * * * *', BERLIN, '2027-03-28T00:00Z', ['2027-03-28T00:15Z', '2027-03-28T01:00Z', '2027-03-28T01:15Z']],
    ['30 2 * * 0', NEW_YORK, '2027-03-13T12:00Z', ['2027-03-14T07:00Z', '2027-03-21T06:30Z']],
    ['30 2 14 3 *', NEW_YORK, '2027-01-01T12:00Z', ['2027-03-14T07:00Z', '2028-03-14T06:30Z']],
    ['15 2 * * *', LORD_HOWE, '2026-10-02T20:00Z', ['2026-10-03T15:30Z', '2026-10-04T15:15Z']],
    ['45 2 * * *', LORD_HOWE, '2026-10-02T20:00Z', ['2026-10-03T15:45Z', '2026-10-04T15:45Z']],
    ['0 12 30 12 *', 'Pacific/Apia', '2011-12-01T00:00Z', ['2011-12-30T10:00Z', '2012-12-29T22:00Z']],
    ['0 0 * * *', 'America/Sao_Paulo', '2018-11-03T12:00Z', ['2018-11-04T03:00Z', '2018-11-05T02:00Z']],
  ])('%s in %s after %s', (expression, zone, from, expected) => {
    expect(next(expression, zone, from, expected.length)).toEqual(expected)
  })
})

describe('a local time that comes twice fires once, at the first; a cron of every hour fires in both', () => {
  test.each([
    ['30 2 * * *', BERLIN, '2026-10-24T12:00Z', ['2026-10-25T00:30Z', '2026-10-26T01:30Z']],
    ['0 3 * * *', BERLIN, '2026-10-24T12:00Z', ['2026-10-25T02:00Z', '2026-10-26T02:00Z']],
    ['*/30 2 * * *', BERLIN, '2026-10-24T12:00Z', ['2026-10-25T00:00Z', '2026-10-25T00:30Z', '2026-10-26T01:00Z']],
    ['15 * * * *', BERLIN, '2026-10-25T00:00Z', ['2026-10-25T00:15Z', '2026-10-25T01:15Z', '2026-10-25T02:15Z']],
    ['30 1 * * *', NEW_YORK, '2026-10-31T12:00Z', ['2026-11-01T05:30Z', '2026-11-02T06:30Z']],
    ['0 1 1 11 *', NEW_YORK, '2026-10-01T12:00Z', ['2026-11-01T05:00Z', '2027-11-01T05:00Z']],
    ['45 1 * * *', LORD_HOWE, '2027-04-03T00:00Z', ['2027-04-03T14:45Z', '2027-04-04T15:15Z']],
    ['15 1 * * *', LORD_HOWE, '2027-04-03T00:00Z', ['2027-04-03T14:15Z', '2027-04-04T14:45Z']],
    ['0 0 * * *', BERLIN, '2026-10-24T12:00Z', ['2026-10-24T22:00Z', '2026-10-25T23:00Z']],
  ])('%s in %s after %s', (expression, zone, from, expected) => {
    expect(next(expression, zone, from, expected.length)).toEqual(expected)
  })
})

describe('every form of a cron', () => {
  test.each([
    ['@yearly', ['2027-01-01T00:00Z', '2028-01-01T00:00Z']],
    ['@annually', ['2027-01-01T00:00Z']],
    ['@monthly', ['2026-12-01T00:00Z', '2027-01-01T00:00Z']],
    ['@weekly', ['2026-11-22T00:00Z', '2026-11-29T00:00Z']],
    ['@daily', ['2026-11-22T00:00Z', '2026-11-23T00:00Z']],
    ['@Midnight', ['2026-11-22T00:00Z']],
    ['@hourly', ['2026-11-21T13:00Z', '2026-11-21T14:00Z']],
    ['@every 90m', ['2026-11-21T13:30Z', '2026-11-21T15:00Z']],
    ['@every 1h30m', ['2026-11-21T13:30Z']],
    ['@every 0.5h', ['2026-11-21T12:30Z', '2026-11-21T13:00Z']],
    ['0 2 * * *', ['2026-11-22T02:00Z']],
    ['0 2 ? * MON-FRI', ['2026-11-23T02:00Z', '2026-11-24T02:00Z']],
    ['0 2 * * 7', ['2026-11-22T02:00Z', '2026-11-29T02:00Z']],
    ['0 2 * * 5-7', ['2026-11-22T02:00Z', '2026-11-27T02:00Z', '2026-11-28T02:00Z']],
    ['0 9 * january,jul *', ['2027-01-01T09:00Z']],
    ['5/20 12 * * *', ['2026-11-21T12:05Z', '2026-11-21T12:25Z', '2026-11-21T12:45Z', '2026-11-22T12:05Z']],
    ['0 8-18/5 * * *', ['2026-11-21T13:00Z', '2026-11-21T18:00Z', '2026-11-22T08:00Z']],
    ['30 0 12 * * *', ['2026-11-21T12:00:30.000Z', '2026-11-22T12:00:30.000Z']],
    ['0 12 * * * 2028', ['2028-01-01T12:00Z']],
    ['0 0 12 25 12 * 2027-2028', ['2027-12-25T12:00Z', '2028-12-25T12:00Z']],
    ['0 0 29 2 *', ['2028-02-29T00:00Z', '2032-02-29T00:00Z']],
    ['0 0 31 * *', ['2026-12-31T00:00Z', '2027-01-31T00:00Z', '2027-03-31T00:00Z']],
    ['0 0 30 2 *', []],
    ['0 0 1 1 * 1999', []],
  ])('%s', (expression, expected) => {
    expect(cronProblem(expression)).toBeUndefined()
    expect(next(expression, 'UTC', '2026-11-21T12:00:01Z', Math.max(expected.length, 1))).toEqual(expected)
  })

  test.each([
    // Both restricted: a day that fits either. A star in one of them leaves the other alone.
    ['0 0 13 * 5', ['2026-11-27T00:00Z', '2026-12-04T00:00Z', '2026-12-11T00:00Z', '2026-12-13T00:00Z']],
    ['0 0 13 * *', ['2026-12-13T00:00Z', '2027-01-13T00:00Z']],
    ['0 0 */10 * 5', ['2026-12-11T00:00Z', '2027-01-01T00:00Z']],
    ['0 0 1-7 * */7', ['2026-12-06T00:00Z', '2027-01-03T00:00Z']],
  ])('days of %s are those of crontab', (expression, expected) => {
    expect(next(expression, 'UTC', '2026-11-21T12:00Z', expected.length)).toEqual(expected)
  })

  test.each(['@every 500ms', '@every 1.0001s', '@every 0s', '@every 400d', '@reboot', '* * * *', '0 0 L * *'])(
    '%s is refused',
    (expression) => {
      expect(cronProblem(expression)).toBeDefined()
      expect(() => parseCron(expression)).toThrow(RangeError)
    },
  )
})

// What Temporal makes of a spec, as its documentation and its server have it: every field fits the local time; a local time
// that is passed over never comes, one that comes twice comes twice.
const fits = (ranges: readonly Range[] | undefined, value: number): boolean =>
  ranges === undefined ||
  ranges.some(({ start, end, step }) => value >= start && value <= end && (value - start) % step === 0)

const fitsCalendar = (spec: CalendarSpec, at: number, zone: string): boolean => {
  const { year, month, day, hour, minute, second } = wallTime(new Date(at), zone)
  return (
    fits(spec.second, second) &&
    fits(spec.minute, minute) &&
    fits(spec.hour, hour) &&
    fits(spec.dayOfMonth, day) &&
    fits(spec.month, month) &&
    fits(spec.year, year) &&
    fits(spec.dayOfWeek, new Date(Date.UTC(year, month - 1, day)).getUTCDay())
  )
}

const temporalFires = ({ calendars, intervals }: FireSpec, zone: string, fromMs: number, toMs: number): number[] => {
  const found: number[] = []
  for (let at = fromMs; at < toMs; at += 60_000) {
    const isInterval = intervals.some(({ every, phase }) => (at / 1_000 - phase) % every === 0)
    if (isInterval || calendars.some((each) => fitsCalendar(each, at, zone))) found.push(at)
  }
  return found
}

/** Around the changes of the clocks in 2027, at which the zones of this test change them. */
const CHANGES = ['2027-03-14', '2027-03-28', '2027-04-04', '2027-10-03', '2027-10-31', '2027-11-07']
const field = (least: number, most: number) =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min: least, max: most }).map(String),
    fc.integer({ min: 2, max: 20 }).map((step) => `*/${step}`),
    fc
      .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
      .map((ends) => `${Math.min(...ends)}-${Math.max(...ends)}`),
    fc
      .uniqueArray(fc.integer({ min: least, max: most }), { minLength: 1, maxLength: 4 })
      .map((values) => values.join(',')),
  )

describe('fireSpec()', () => {
  test('tells Temporal to fire when fires() says, also where the clocks change', () => {
    const cron = fc
      .tuple(field(0, 59), field(0, 4), field(1, 31), field(1, 12), field(0, 6))
      .map((all) => all.join(' '))
    fc.assert(
      fc.property(cron, fc.constantFrom(...ZONES), fc.constantFrom(...CHANGES), (expression, zone, date) => {
        const fromMs = Date.parse(`${date}T00:00:00Z`) - 86_400_000
        const toMs = fromMs + 3 * 86_400_000
        const parsed = parseCron(expression)
        const spec = fireSpec(parsed, zone, Date.parse('2026-11-21T00:00:00Z'))
        expect(temporalFires(spec, zone, fromMs, toMs)).toEqual(
          firesBetween(parsed, zone, { fromMs, toMs, limit: 10_000 }),
        )
      }),
      { numRuns: 60 },
    )
  }, 60_000)

  test('is one calendar where the clocks never change at its hours', () => {
    for (const zone of ZONES) {
      expect(fireSpec(parseCron('0 9 * * 1-5'), zone, Date.parse('2026-11-21T00:00:00Z'))).toMatchObject({
        calendars: [{ hour: [{ start: 9, end: 9, step: 1 }] }],
        intervals: [],
      })
    }
  })

  test('stays the same for a whole year, and small', () => {
    const cron = parseCron('*/5 1-3 * * *')
    const spec = fireSpec(cron, BERLIN, Date.parse('2026-01-01T00:00:00Z'))
    expect(fireSpec(cron, BERLIN, Date.parse('2026-12-31T23:59:59Z'))).toEqual(spec)
    expect(JSON.stringify(spec).length).toBeLessThan(10_000)
    const seconds = fireSpec(parseCron('*/2 * 2 * * *'), BERLIN, Date.parse('2026-01-01T00:00:00Z'))
    expect(seconds.intervals.length).toBeLessThan(4_000)
  })
})
