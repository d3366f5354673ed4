import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Trigger } from '../../src/core/definition.ts'
import { engineNote } from '../../src/core/schedule/pause-note.ts'
import { type Schedule, schedulesOf } from '../../src/core/schedule/schedule.ts'
import { createScheduleStore, type ScheduleStore } from '../../src/client/schedule-store.ts'
import { openInstallationKey } from '../../src/client/signing.ts'
import { sopOf, type SopSketch } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'

let engine: TestEngine
let store: ScheduleStore
let schedulesIn: (sketch: Partial<SopSketch>) => readonly Schedule[]

beforeAll(async () => {
  engine = await startTestEngine()
  const key = await openInstallationKey(engine.dataDir)
  const { taskQueue } = engine
  const seal = (text: string): string => key.seal(text)
  store = createScheduleStore({ temporal: () => engine.temporal, taskQueue, seal, now: Date.now })
  schedulesIn = (sketch) => {
    const definition = sopOf({ steps: [{}], ...sketch })
    engine.add(definition)
    return schedulesOf(
      definition,
      `${definition.name}/SOP.toml`,
      { taskQueue, timezone: 'UTC', authority: key.authority },
      Date.now(),
    )
  }
})
afterEach(async () => {
  for (const { id } of await store.list()) await store.remove(id)
})
afterAll(() => engine.stop())

/** Once a day, half a day from now: none of them fires by itself while a test goes on. */
const NIGHTLY = `30 ${(new Date().getUTCHours() + 12) % 24} * * *`
const cron = (expression: string, more = {}): Trigger => ({ type: 'cron', expression, ...more })
const make = async (sketch: Partial<SopSketch>): Promise<readonly Schedule[]> => {
  const all = schedulesIn(sketch)
  for (const schedule of all) await store.create(schedule, { paused: false, note: '' })
  await until(store.list, (listed) => all.every(({ id }) => listed.some((each) => each.id === id)))
  return all
}
const only = async (expression: string, more: Partial<SopSketch> = {}): Promise<Schedule> => {
  const [schedule] = await make({ name: 'nightly', triggers: [cron(expression)], ...more })
  if (schedule === undefined) throw new Error('no schedule')
  return schedule
}

describe('the schedules of an engine', () => {
  test('are listed with their next times, and one that Temporal lacks as missing', async () => {
    const [first] = await make({ name: 'one', timezone: 'Europe/Berlin', triggers: [cron(NIGHTLY)] })
    const [other] = schedulesIn({ name: 'two', triggers: [cron('0 0 1 1 *', { params: { a: 1 } })] })
    const views = await engine.client.listSchedules()
    expect(views.filter(({ sop }) => sop === 'one' || sop === 'two')).toMatchObject([
      { id: first?.id, sop: 'one', timezone: 'Europe/Berlin', state: 'active', recent: [], overlap: 'allow_all' },
      { id: other?.id, sop: 'two', state: 'missing', params: { a: 1 } },
    ])
    const [next = ''] = (await engine.client.listSchedules({ sop: 'two' }))[0]?.next ?? []
    expect(next).toMatch(/^\d{4}-01-01T00:00:00.000Z$/)
  })

  test('are paused with who and why, resumed, and refuse what does not fit their state', async () => {
    const { id } = await only(NIGHTLY)
    expect(await engine.client.pauseSchedule('nightly', { comment: 'freeze' })).toMatchObject({
      state: 'paused',
      pausedBy: 'alice via http',
      pauseReason: 'freeze',
    })
    await expect(engine.client.pauseSchedule(id)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('it is paused by alice via http: freeze already') as string,
    })
    const from = new Date().toISOString()
    const to = new Date(Date.now() + 3 * 86_400_000).toISOString()
    const paused = await until(
      () => engine.client.listUpcoming({ from, to, sop: 'nightly' }),
      ([fire]) => fire?.blocked !== undefined,
    )
    expect(paused).toHaveLength(3)
    expect(paused[0]).toMatchObject({ schedule: id, blocked: 'the schedule is paused by alice via http: freeze' })
    expect(await engine.client.resumeSchedule(id)).toMatchObject({ state: 'active' })
    await expect(engine.client.resumeSchedule(id)).rejects.toMatchObject({ code: 'conflict' })
  })

  test('fire now, also while paused, and show the run', async () => {
    const { id } = await only(NIGHTLY)
    await engine.client.pauseSchedule(id)
    const { runId = '' } = await engine.client.triggerSchedule(id)
    await until(
      () => engine.client.getRunStatus(runId),
      ({ status }) => status === 'completed',
    )
    const [view] = await until(
      () => engine.client.listSchedules({ sop: 'nightly' }),
      ([each]) => each?.recent[0]?.status === 'completed',
    )
    expect(view?.recent[0]?.runId).toBe(runId)
    expect(await engine.client.listDeliveries({ source: 'cron', limit: 1 })).toMatchObject([
      { subject: id, action: 'trigger', sop: 'nightly', verdict: 'started', runId, principal: 'alice' },
    ])
    expect(await engine.client.listTriggers('nightly')).toMatchObject([
      { type: 'cron', last: { subject: id, action: 'trigger', runId }, lastRun: { runId, state: 'completed' } },
    ])
  })

  test('are backfilled: one run for each time of the range, with that time as its own', async () => {
    const { id, runPrefix } = await only('0 */6 * * *')
    const { fires } = await engine.client.backfillSchedule(id, {
      from: '2026-03-01T00:00:00Z',
      to: '2026-03-01T18:00:00Z',
    })
    expect(fires).toEqual(['2026-03-01T00:00:00.000Z', '2026-03-01T06:00:00.000Z', '2026-03-01T12:00:00.000Z'])
    const runIds = fires.map((at) => `${runPrefix}-${at.replace('.000Z', 'Z')}`)
    const found = await until(
      () => engine.client.listRuns({ sop: 'nightly', limit: 100 }),
      (runs) => runIds.every((runId) => runs.some((run) => run.runId === runId && run.status === 'completed')),
    )
    expect(found.filter(({ runId }) => runId.startsWith(`${runPrefix}-2026-03-01`))).toHaveLength(3)
    const [delivery] = await engine.client.listDeliveries({ source: 'cron', limit: 1 })
    expect(delivery).toMatchObject({ subject: id, action: 'backfill', principal: 'alice' })
    expect(delivery?.reason).toBe(
      'Its 3 times from 2026-03-01T00:00:00.000Z to 2026-03-01T18:00:00.000Z were fired by hand',
    )
  })

  test.each<[string, { from: string; to: string }, string]>([
    ['that ends before it begins', { from: '2026-03-02', to: '2026-03-01' }, 'is not before'],
    ['that is no time', { from: 'x', to: '2026-03-01' }, 'expected times'],
    ['in the future', { from: '2026-03-01', to: '2990-03-01' }, 'in the future'],
    ['with too many times', { from: '2024-01-01', to: '2026-03-01' }, 'more than 1000'],
  ])('are not backfilled for a range %s', async (_, range, reason) => {
    const { id } = await only('0 * * * *')
    await expect(engine.client.backfillSchedule(id, range)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(reason) as string,
    })
  })

  test('of an SOP that cannot start are told as broken, neither fire nor resume, and go on by the engine alone', async () => {
    const { id } = await only(NIGHTLY)
    engine.add(sopOf({ name: 'nightly', steps: [{}], refusals: ['the step needs what is not there'] }))
    const broken = 'SOP "nightly" cannot start: the step needs what is not there'
    expect((await engine.client.listSchedules({ sop: 'nightly' }))[0]).toMatchObject({
      id,
      broken,
      expression: NIGHTLY,
    })
    const conflict = { code: 'conflict', message: expect.stringContaining(broken) as string }
    await expect(engine.client.triggerSchedule(id)).rejects.toMatchObject(conflict)
    await engine.client.pauseSchedule(id, { comment: 'mine' })
    expect(await engine.client.resumeSchedule(id)).toMatchObject({ state: 'paused', pausedBy: 'the engine' })
    await expect(engine.client.resumeSchedule(id)).rejects.toMatchObject(conflict)
    const looked = await store.look(id)
    expect(looked).toMatchObject({ paused: true, note: engineNote(broken) })
  })

  test('are named by id, or by an SOP that has only one; whoever may only read changes none', async () => {
    await make({ name: 'several', triggers: [cron('0 1 * * *'), cron('0 2 * * *')] })
    await expect(engine.client.pauseSchedule('several')).rejects.toMatchObject({ code: 'conflict' })
    await expect(engine.client.pauseSchedule('nobody')).rejects.toMatchObject({ code: 'not_found' })
    const operator = engine.as({ role: 'operator' })
    expect(await operator.listSchedules({ sop: 'several' })).toHaveLength(2)
    const range = { from: '2026-03-01', to: '2026-03-02' }
    for (const ask of [
      () => operator.pauseSchedule('x'),
      () => operator.resumeSchedule('x'),
      () => operator.triggerSchedule('x'),
      () => operator.backfillSchedule('x', range),
    ])
      await expect(ask()).rejects.toMatchObject({ code: 'forbidden' })
  })
})
