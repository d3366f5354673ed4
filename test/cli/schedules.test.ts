import { describe, expect, test } from 'vitest'
import type { DueFire, ScheduleView } from '../../src/client/schedule-client.ts'
import { sop } from './support/sop.ts'

const NIGHTLY: ScheduleView = {
  id: 'sop_schedule_nightly_1',
  sop: 'nightly',
  expression: '30 2 * * *',
  timezone: 'Europe/Berlin',
  state: 'active',
  next: ['2027-03-28T01:00:00.000Z'],
  recent: [{ scheduledAt: '2027-03-27T01:30:00.000Z', runId: 'sop_run_nightly_1-x', status: 'completed' }],
}
const PAUSED: ScheduleView = { ...NIGHTLY, state: 'paused', pausedBy: 'alice via cli', pauseReason: 'change freeze' }
const FIRE: DueFire = { at: '2027-03-28T01:00:00.000Z', schedule: NIGHTLY.id, sop: 'nightly', params: { region: 'eu' } }
const now = '2027-03-27T13:30:00Z'

const run = (argv: readonly string[], engine = {}) =>
  sop(['schedules', ...argv], {
    now,
    engine: {
      listSchedules: async () => [NIGHTLY],
      listUpcoming: async () => [FIRE],
      pauseSchedule: async () => PAUSED,
      resumeSchedule: async () => NIGHTLY,
      triggerSchedule: async () => ({ schedule: NIGHTLY.id, runId: 'sop_run_nightly_1-now' }),
      backfillSchedule: async () => ({ schedule: NIGHTLY.id, fires: [FIRE.at, FIRE.at] }),
      ...engine,
    },
  })

describe('sop schedules', () => {
  test('shows the next time here and in the zone of the schedule, its state, and its last run', async () => {
    const { out, code } = await run([])
    expect(code).toBe(0)
    expect(out).toMatch(/SCHEDULE +CRON +NEXT \(UTC\) +IN ITS ZONE +STATE +LAST/)
    expect(out).toMatch(
      /sop_schedule_nightly_1 +30 2 \* \* \* +2027-03-28 01:00 +2027-03-28 03:00 Europe\/Berlin +active +completed 12 h ago \(sop_run_nightly_1-x\)/,
    )
  })

  test.each<[string, Partial<ScheduleView>, string]>([
    ['who paused it and why', PAUSED, 'sop_schedule_nightly_1: paused by alice via cli: change freeze'],
    [
      'what keeps its SOP from starting, once',
      {
        state: 'paused',
        pausedBy: 'the engine',
        pauseReason: 'SOP "nightly" no longer compiles: x:1:1: no',
        broken: 'SOP "nightly" no longer compiles: x:1:1: no',
      },
      'sop_schedule_nightly_1: SOP "nightly" no longer compiles: x:1:1: no. Its last good schedule stands paused until it does',
    ],
    ['that it is not made', { state: 'missing' }, 'Temporal does not have it yet'],
    ['that it never fires again', { next: [] }, 'never'],
  ])('says %s', async (_, more, text) => {
    const { out } = await run([], { listSchedules: async () => [{ ...NIGHTLY, ...more }] })
    expect(out).toContain(text)
    expect(out.split('no longer compiles').length).toBeLessThanOrEqual(2)
  })

  test('says that there are none; --json prints what the engine said, --sop asks for those of one', async () => {
    expect((await run([], { listSchedules: async () => [] })).out).toBe('No schedules: no SOP has a cron trigger.\n')
    const asked = await run(['--sop', 'nightly', '--json'])
    expect(asked.json()).toEqual([NIGHTLY])
    expect(asked.calls).toEqual([{ method: 'listSchedules', args: [{ sop: 'nightly' }] }])
  })

  test.each<[string, readonly string[], object]>([
    ['two dates', ['2027-03-28', '2027-03-29'], { from: '2027-03-28T00:00:00.000Z', to: '2027-03-29T00:00:00.000Z' }],
    ['now and a length', ['now', '7d'], { from: '2027-03-27T13:30:00.000Z', to: '2027-04-03T13:30:00.000Z' }],
    [
      'times with and without zone',
      ['2027-03-28 01:30', '2027-03-28T05:00:00+02:00'],
      { from: '2027-03-28T01:30:00.000Z', to: '2027-03-28T03:00:00.000Z' },
    ],
  ])('--between %s shows what would start, and starts nothing', async (_, times, range) => {
    const { out, calls } = await run(['--between', ...times])
    expect(calls).toEqual([{ method: 'listUpcoming', args: [{ ...range, limit: 1_000 }] }])
    expect(out).toContain('1 fire between')
    expect(out).toContain('nothing was started')
    expect(out).toMatch(/2027-03-28 01:00 +nightly +sop_schedule_nightly_1 +region=eu\n/)
  })

  test('--between says why a fire starts nothing, and that nothing is due', async () => {
    const blocked = await run(['--between', 'now', '1d'], {
      listUpcoming: async () => [{ ...FIRE, blocked: 'the schedule is paused by alice' }],
    })
    expect(blocked.out).toContain('starts nothing: the schedule is paused by alice')
    const none = await run(['--between', 'now', '1d'], { listUpcoming: async () => [] })
    expect(none.out).toBe('Nothing is due between 2027-03-27 13:30 and 2027-03-28 13:30 (UTC).\n')
  })

  test.each<[readonly string[], string, readonly unknown[], string]>([
    [
      ['pause', 'nightly', '--comment', 'change freeze'],
      'pauseSchedule',
      ['nightly', { comment: 'change freeze' }],
      'Paused sop_schedule_nightly_1. It stays so until somebody resumes it: sop schedules resume sop_schedule_nightly_1',
    ],
    [
      ['resume', 'nightly'],
      'resumeSchedule',
      ['nightly'],
      'Resumed sop_schedule_nightly_1. Next: 2027-03-28 01:00 (in 11 h)',
    ],
    [['trigger', 'nightly'], 'triggerSchedule', ['nightly'], 'Started sop_run_nightly_1-now'],
    [
      ['backfill', 'nightly', '--between', '2027-03-20', '2027-03-22'],
      'backfillSchedule',
      ['nightly', { from: '2027-03-20T00:00:00.000Z', to: '2027-03-22T00:00:00.000Z' }],
      'sop_schedule_nightly_1 fires 2 times for that range',
    ],
  ])('%j', async (argv, method, args, said) => {
    const { out, calls, code } = await run(argv)
    expect(code).toBe(0)
    expect(calls).toEqual([{ method, args }])
    expect(out).toContain(said)
  })

  test.each<[readonly string[], string]>([
    [['pause'], 'Cannot pause a schedule: name it'],
    [['trigger', 'x', '--comment', 'y'], 'Cannot use --comment here'],
    [['--comment', 'y'], 'Cannot use --comment here'],
    [['backfill', 'x'], 'Cannot backfill: say from when to when'],
    [['pause', 'x', '--between', 'now', '1d'], 'Cannot use --between with "pause"'],
    [['pause', 'x', '--sop', 'y'], 'Cannot use --sop here'],
    [['--between', 'now'], 'it takes two times'],
    [['--between', 'tomorrow', 'now'], 'Cannot read the time "tomorrow"'],
    [['--between', '2027-03-29', '2027-03-28'], 'is not before'],
    [['stop', 'x'], 'stop'],
  ])('%j is a wrong command line, and asks nobody', async (argv, said) => {
    const { err, code, calls } = await run(argv)
    expect([code, calls]).toEqual([2, []])
    expect(err).toContain(said)
  })
})
