import { expect, test } from 'vitest'
import { readBlackouts } from '../../src/client/scheduled-blackouts.ts'
import type { SopDefinition } from '../../src/core/definition.ts'
import { SopError } from '../../src/core/errors.ts'
import { sopOf } from '../support/definitions.ts'

const entryOf = (definition: SopDefinition) => ({
  name: definition.name,
  path: `${definition.name}.md`,
  files: [],
  compiled: { name: definition.name, definition, diagnostics: [] },
})
const look = (more: Partial<SopDefinition>, readHolidays = async (): Promise<never[]> => []) =>
  readBlackouts([entryOf({ ...sopOf({ name: 'nightly', steps: [{}] }), ...more })], {
    timezone: 'Europe/Berlin',
    readHolidays,
  })

test.each<[string, Partial<SopDefinition>, string, string | undefined]>([
  ['without blackouts', {}, '2026-12-25T10:00:00Z', undefined],
  ['on another day', { holidays: ['12-25'] }, '2026-12-24T10:00:00Z', undefined],
  [
    'on a holiday',
    { holidays: ['12-25'] },
    '2026-12-25T10:00:00Z',
    'holiday "12-25": the run is refused, until 2026-12-25T23:00:00.000Z',
  ],
  [
    'in the zone of the config',
    { holidays: ['12-25'] },
    '2026-12-24T23:30:00Z',
    'holiday "12-25": the run is refused, until 2026-12-25T23:00:00.000Z',
  ],
  ['in its own zone', { holidays: ['12-25'], timezone: 'UTC' }, '2026-12-24T23:30:00Z', undefined],
  [
    'where it waits',
    { holidays: ['12-25'], blackoutPolicy: 'wait' },
    '2026-12-25T10:00:00Z',
    'holiday "12-25": the run waits until 2026-12-25T23:00:00.000Z',
  ],
])('a fire %s', async (_, more, at, said) => {
  expect((await look(more))('nightly', at)).toBe(said)
})

test('a calendar file counts, and one that cannot be read refuses the run', async () => {
  const day = { year: 2026, month: 12, day: 31 }
  const filed = await readBlackouts([entryOf({ ...sopOf({ name: 'nightly', steps: [{}] }), holidays: ['days.ics'] })], {
    timezone: 'UTC',
    readHolidays: async () => [{ name: 'Last day', from: day, to: day }],
  })
  expect(filed('nightly', '2026-12-31T10:00:00Z')).toBe(
    'holiday "Last day": the run is refused, until 2027-01-01T00:00:00.000Z',
  )
  const lost = await look({ holidays: ['days.ics'] }, () => Promise.reject(new SopError('not_found', 'Cannot read it')))
  expect(lost('nightly', '2026-12-31T10:00:00Z')).toBe('Cannot read it')
})
