import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createHolidays } from '../../src/adapters/holidays.ts'

const calendar = (...events: readonly string[]) =>
  [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//test//EN',
    ...events.map((event) => `BEGIN:VEVENT\n${event}\nEND:VEVENT`),
    'END:VCALENDAR',
    '',
  ].join('\n')

/** Where the time to work days out is not what is looked at. */
const PATIENT_MS = 30_000

let home: string
const read = (file: string, sop = 'deploy') =>
  createHolidays({
    sopDir: join(home, 'sops'),
    pathOf: async () => `${sop}/SOP.toml`,
    now: () => new Date('2026-06-01T00:00:00Z'),
    limitMs: PATIENT_MS,
  })(sop, file)

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'sop-holidays-'))
  await mkdir(join(home, 'sops/deploy'), { recursive: true })
  const files = {
    'sops/deploy/own.ics': calendar(
      'UID:1\nSUMMARY:Christmas\nDTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261227',
      'UID:2\nSUMMARY:Meeting\nDTSTART:20261225T090000Z\nDTEND:20261225T100000Z',
      'UID:3\nSUMMARY:Off\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20261224',
      'UID:4\nSUMMARY:Founding\nDTSTART;VALUE=DATE:20200301\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20270301',
    ),
    'sops/shared.ics': calendar('UID:5\nDTSTART;VALUE=DATE:20260501'),
    'sops/deploy/broken.ics': 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nnonsense',
    'outside.ics': calendar('UID:6\nDTSTART;VALUE=DATE:20260501'),
  }
  for (const [path, text] of Object.entries(files)) await writeFile(join(home, path), text)
  await symlink(join(home, 'outside.ics'), join(home, 'sops/deploy/link.ics'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

test('days are those of whole-day events, with repetitions around the present year; the end is the day after', async () => {
  const days = await read('own.ics')
  expect(days).toContainEqual({
    name: 'Christmas',
    from: { year: 2026, month: 12, day: 25 },
    to: { year: 2026, month: 12, day: 26 },
  })
  expect(days.filter(({ name }) => name === 'Founding').map(({ from }) => from.year)).toEqual([2025, 2026, 2028])
  expect(days.map(({ name }) => name)).not.toContain('Meeting')
  expect(days.map(({ name }) => name)).not.toContain('Off')
})

test('a file of the SOP directory serves every SOP, and an event without name is called by its date', async () =>
  expect(await read('shared.ics')).toEqual([
    { name: '2026-05-01', from: { year: 2026, month: 5, day: 1 }, to: { year: 2026, month: 5, day: 1 } },
  ]))

test.each<[what: string, rule: string, message: RegExp]>([
  ['never come', 'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30', /its days are not worked out after 0\.3 s/],
  ['never come, second by second', 'FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30', /its days are not worked out after 0\.3 s/],
  ['are many', 'FREQ=DAILY\nRDATE;VALUE=DATE:20260101', /it has more than 10000 days/],
])('days that %s keep nobody waiting', async (_what, rule, message) => {
  const dir = await mkdtemp(join(tmpdir(), 'sop-holidays-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const often = message.source.includes('more') ? 10 : 1
  const events = Array.from({ length: often }, (_, at) => `UID:${at}\nDTSTART;VALUE=DATE:20200101\nRRULE:${rule}`)
  await writeFile(join(dir, 'x.ics'), calendar(...events))
  const limited = createHolidays({
    sopDir: dir,
    pathOf: async () => 'a.md',
    now: () => new Date('2026-06-01T00:00:00Z'),
    limitMs: often === 1 ? 300 : PATIENT_MS,
  })
  await expect(limited('a', 'x.ics')).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringMatching(message),
  })
})

test('days of a rule that is older than most people are those of today', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'sop-holidays-'))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  await writeFile(join(dir, 'x.ics'), calendar('UID:1\nDTSTART;VALUE=DATE:19000101\nRRULE:FREQ=DAILY'))
  const days = await createHolidays({
    sopDir: dir,
    pathOf: async () => 'a.md',
    now: () => new Date('2026-06-01T00:00:00Z'),
    limitMs: PATIENT_MS,
  })('a', 'x.ics')
  expect(days).toHaveLength(365 + 365 + 365 + 366)
})

test.each([
  ['missing.ics', 'not_found', /neither beside the SOP \("deploy\/SOP.toml"\) nor in the SOP directory/],
  ['link.ics', 'not_found', /neither beside/],
  ['../outside.ics', 'not_found', /neither beside/],
  ['broken.ics', 'invalid', /is no calendar/],
])('%s is refused as %s', async (file, code, message) =>
  expect(read(file)).rejects.toMatchObject({ code, message: expect.stringMatching(message) }),
)
