import { describe, expect, test } from 'vitest'
import { calendarOf, type FiledDay, outlookAt } from '../../../src/core/blackout.ts'
import { parseHoliday, parseWindow } from '../../../src/core/blackout/window.ts'

const look = (
  blackout: readonly string[],
  at: string,
  zone = 'UTC',
  holidays: readonly string[] = [],
  filed: readonly FiledDay[] = [],
) => outlookAt(calendarOf({ blackout, holidays }, zone, filed), at)

describe('no run begins', () => {
  test.each([
    // times of a day
    ['22:00-06:00', '2026-03-02T23:00:00Z', '2026-03-03T06:00:00.000Z'],
    ['22:00-06:00', '2026-03-03T05:59:59Z', '2026-03-03T06:00:00.000Z'],
    ['09:00-17:00', '2026-03-02T09:00:00Z', '2026-03-02T17:00:00.000Z'],
    ['mon-fri 09:00-17:00', '2026-03-06T12:00:00Z', '2026-03-06T17:00:00.000Z'],
    ['sat,sun', '2026-03-07T12:00:00Z', '2026-03-09T00:00:00.000Z'],
    ['fri-mon', '2026-03-06T12:00:00Z', '2026-03-10T00:00:00.000Z'],
    ['fri 16:00-24:00', '2026-03-06T18:00:00Z', '2026-03-07T00:00:00.000Z'],
    // the night of Saturday begins on Saturday
    ['sat 22:00-06:00', '2026-03-08T05:00:00Z', '2026-03-08T06:00:00.000Z'],
    // dates
    ['2026-12-24', '2026-12-24T12:00:00Z', '2026-12-25T00:00:00.000Z'],
    ['12-24..01-02', '2027-01-01T12:00:00Z', '2027-01-03T00:00:00.000Z'],
    ['2026-12-24..2027-01-02', '2026-12-31T12:00:00Z', '2027-01-03T00:00:00.000Z'],
    ['02-29', '2028-02-29T12:00:00Z', '2028-03-01T00:00:00.000Z'],
    ['2026-12-24 12:00..2026-12-27 06:00', '2026-12-26T00:00:00Z', '2026-12-27T06:00:00.000Z'],
    // a cron and its length
    ['0 2 * * 0 for 4h', '2026-03-08T05:00:00Z', '2026-03-08T06:00:00.000Z'],
    ['0 22 * * * for 90m', '2026-03-08T22:00:00Z', '2026-03-08T23:30:00.000Z'],
  ])('in "%s" at %s, before %s', (text, at, until) =>
    expect(look([text], at)).toEqual({ until, because: `blackout "${text}"` }),
  )
})

describe('a run may begin', () => {
  test.each([
    ['22:00-06:00', '2026-03-03T06:00:00Z', '2026-03-03T22:00:00.000Z'],
    ['sat,sun', '2026-03-09T00:00:00Z', '2026-03-14T00:00:00.000Z'],
    ['2026-12-24', '2026-12-25T00:00:00Z', '2027-01-25T00:00:00.000Z'],
    ['2026-12-24', '2026-12-20T00:00:00Z', '2026-12-24T00:00:00.000Z'],
    ['0 2 * * 0 for 4h', '2026-03-08T06:00:00Z', '2026-03-15T02:00:00.000Z'],
    ['2026-12-24 12:00..2026-12-27 06:00', '2026-12-24T11:59:59Z', '2026-12-24T12:00:00.000Z'],
  ])('outside of "%s" at %s, and that holds until %s', (text, at, until) => expect(look([text], at)).toEqual({ until }))

  test('where there is nothing at all, for as long as one looks ahead', () =>
    expect(look([], '2026-03-01T00:00:00Z')).toEqual({ until: '2026-04-01T00:00:00.000Z' }))
})

describe('the zone', () => {
  test('is the one of the SOP', () =>
    expect(look(['22:00-06:00'], '2026-03-02T21:30:00Z', 'Europe/Berlin').until).toBe('2026-03-03T05:00:00.000Z'))

  test.each([
    // In Berlin clocks go from 02:00 to 03:00 on 29 March 2026, and from 03:00 to 02:00 on 25 October 2026.
    ['02:00-04:00', 'Europe/Berlin', '2026-03-29T01:30:00Z', '2026-03-29T02:00:00.000Z'],
    ['01:00-02:30', 'Europe/Berlin', '2026-03-29T00:30:00Z', '2026-03-29T01:00:00.000Z'],
    ['02:00-03:00', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-25T02:00:00.000Z'],
    ['01:00-02:30', 'Europe/Berlin', '2026-10-25T01:15:00Z', '2026-10-25T01:30:00.000Z'],
    ['22:00-06:00', 'America/New_York', '2026-11-01T05:30:00Z', '2026-11-01T11:00:00.000Z'],
    ['00:00-06:00', 'Australia/Lord_Howe', '2026-04-04T14:00:00Z', '2026-04-04T19:30:00.000Z'],
  ])('changes its clocks within "%s" (%s, %s): it ends at %s', (text, zone, at, until) =>
    expect(look([text], at, zone).until).toBe(until),
  )

  test('a whole day that has 23 hours is over after 23', () =>
    expect(look(['2026-03-29'], '2026-03-28T23:00:00Z', 'Europe/Berlin').until).toBe('2026-03-29T22:00:00.000Z'))
})

describe('several windows', () => {
  test('that follow each other without a gap are one', () =>
    expect(look(['fri 16:00-24:00', 'sat,sun', 'mon 00:00-06:00'], '2026-03-06T17:00:00Z')).toEqual({
      until: '2026-03-09T06:00:00.000Z',
      because: 'blackout "fri 16:00-24:00"',
    }))

  test('together without an end say only how long it lasts at least', () => {
    const { until, because } = look(['00:00-12:00', '12:00-24:00'], '2026-03-06T17:00:00Z')
    expect(because).toBe('blackout "12:00-24:00"')
    expect(Date.parse(until)).toBeGreaterThan(Date.parse('2026-03-20T00:00:00Z'))
  })

  test('a cron that fires within its own window keeps it open', () =>
    expect(look(['0 * * * * for 90m'], '2026-03-06T17:00:00Z').because).toBe('blackout "0 * * * * for 90m"'))
})

test('holidays are days: written, of every year, and of a file', () => {
  const at = '2026-12-25T12:00:00Z'
  expect(look([], at, 'UTC', ['2026-12-25'])).toEqual({
    until: '2026-12-26T00:00:00.000Z',
    because: 'holiday "2026-12-25"',
  })
  expect(look([], at, 'UTC', ['12-25', '12-26']).until).toBe('2026-12-27T00:00:00.000Z')
  const filed = [
    { name: 'Christmas', from: { year: 2026, month: 12, day: 25 }, to: { year: 2026, month: 12, day: 26 } },
  ]
  expect(look([], at, 'UTC', ['days.ics'], filed)).toEqual({
    until: '2026-12-27T00:00:00.000Z',
    because: 'holiday "Christmas"',
  })
})

describe('what means nothing is refused with a reason', () => {
  test.each([
    ['25:00-26:00', 'are no times'],
    ['24:00-06:00', 'are no times'],
    ['09:60-10:00', 'are no times'],
    ['09:00-09:00', 'is empty'],
    ['00:00-24:00', 'never ends'],
    ['mon-sun', 'never ends'],
    ['xyz 09:00-10:00', 'is no day of the week'],
    ['weekends', 'is no day of the week'],
    ['monkey', 'is no day of the week'],
    ['9 to 5', 'is no day'],
    ['', 'is neither'],
    ['2026-02-30', 'is no day'],
    ['02-30', 'is no day'],
    ['2026-12-24..01-02', 'one of its days has a year'],
    ['2026-12-24..2026-12-01', 'ends before it begins'],
    ['2026-12-24 12:00..2026-12-24 11:00', 'ends before it begins'],
    ['2026-12-24 12:00..12-27', 'is not from one moment to another'],
    ['0 2 * * for 4h', 'is no cron'],
    ['0 2 * * 0 for ages', 'is no duration'],
    ['0 2 * * 0 for 0s', 'is no duration'],
    ['0 2 * * 0 for 60d', 'at most 31 days'],
  ])('%j', (text, reason) =>
    expect(parseWindow(text)).toMatchObject({ ok: false, reason: expect.stringContaining(reason) }),
  )

  test.each([
    ['/etc/days.ics', 'lies in the folder'],
    ['../days.ics', 'lies in the folder'],
    ['C:\\days.ics', 'lies in the folder'],
    ['christmas', 'is no day'],
    ['22:00-06:00', 'is no day'],
  ])('holiday %j', (text, reason) =>
    expect(parseHoliday(text)).toMatchObject({ ok: false, reason: expect.stringContaining(reason) }),
  )
})
