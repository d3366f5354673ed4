import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { compile } from '../../src/core/compile.ts'
import type { SopDefinition, Trigger } from '../../src/core/definition.ts'
import { parseCron } from '../../src/core/schedule/cron.ts'
import { firesBetween } from '../../src/core/schedule/fires.ts'
import { type Schedule, schedulesOf } from '../../src/core/schedule/schedule.ts'
import { createScheduleStore, type ScheduleStore } from '../../src/client/schedule-store.ts'
import { scheduleInput } from '../../src/client/schedule-wire.ts'
import { type InstallationKey, openInstallationKey } from '../../src/client/signing.ts'
import { bash, condition, sopOf } from '../support/definitions.ts'
import { startTestEngine, type TestEngine, until } from '../support/engine.ts'

let engine: TestEngine
let key: InstallationKey
let store: ScheduleStore

beforeAll(async () => {
  engine = await startTestEngine()
  key = await openInstallationKey(engine.dataDir)
  const seal = (text: string): string => key.seal(text)
  store = createScheduleStore({ temporal: () => engine.temporal, taskQueue: engine.taskQueue, seal, now: Date.now })
})
/** By id: Temporal's list may not have the last ones yet. */
const made: string[] = []
afterEach(async () => {
  for (const id of made.splice(0)) await store.remove(id)
})
afterAll(() => engine.stop())

const settings = () => ({ taskQueue: engine.taskQueue, timezone: 'UTC', authority: key.authority })
const cron = (expression: string, more = {}): Trigger => ({ type: 'cron', expression, ...more })

const make = async (definition: SopDefinition, at = 0): Promise<Schedule> => {
  engine.add(definition)
  const schedule = schedulesOf(definition, 'x/SOP.toml', settings(), Date.now())[at]
  if (schedule === undefined) throw new Error('no cron')
  made.push(schedule.id)
  expect(await store.create(schedule, { paused: false, note: '' })).toBe('created')
  return schedule
}

/** Fires now. @returns the id of the run */
const fire = async ({ id }: Schedule): Promise<string> => {
  await store.trigger(id)
  const looked = await until(
    () => store.look(id),
    (found) => found !== undefined && found !== 'foreign' && found.recent.length > 0,
  )
  return looked === undefined || looked === 'foreign' ? '' : (looked.recent.at(-1)?.runId ?? '')
}

const ended = (runId: string) =>
  until(
    () => engine.client.getRunStatus(runId),
    ({ status }) => status !== 'pending' && status !== 'running',
  )

describe('a fire of a schedule', () => {
  test('starts a run by that schedule, at its nominal time, with the params of its trigger', async () => {
    const schedule = await make(
      sopOf({
        name: 'nightly',
        triggers: [cron('0 2 * * *', { params: { region: 'eu' } })],
        params: [{ name: 'region', type: 'string' }],
        steps: [{ action: bash('echo "$region $SOP_TRIGGER_TYPE $SOP_TRIGGER_SCHEDULED_AT"') }],
      }),
    )
    const runId = await fire(schedule)
    const nominal = runId.slice(schedule.runPrefix.length + 1)
    const view = await ended(runId)
    const scheduledAt = new Date(nominal).toISOString()
    expect(view).toMatchObject({
      status: 'completed',
      sopName: 'nightly',
      params: { region: 'eu' },
      trigger: { type: 'cron', scheduledAt },
      startedBy: { id: `schedule:${schedule.id}`, kind: 'timer' },
    })
    expect(view.stepResults[0]?.output).toContain(`eu cron ${scheduledAt}`)
    const { events } = await engine.client.getAuditLog(runId)
    expect(events[0]).toMatchObject({ eventType: 'run_created', via: 'schedule', principal: { kind: 'timer' } })
  })

  test('by itself, in a spec of seconds, starts a run whose id has the time of the calendar', async () => {
    const schedule = await make(sopOf({ name: 'often', triggers: [cron('* * * * * *')], steps: [{}] }))
    const looked = await until(
      () => store.look(schedule.id),
      (found) => found !== undefined && found !== 'foreign' && found.recent.length > 0,
    )
    await store.remove(schedule.id)
    const [first] = looked === undefined || looked === 'foreign' ? [] : looked.recent
    expect(first?.runId).toBe(`${schedule.runPrefix}-${first?.scheduledAt.replace('.000Z', 'Z')}`)
    expect(await ended(first?.runId ?? '')).toMatchObject({ status: 'completed', trigger: { type: 'cron' } })
  })

  test('is refused on record when its condition does not hold, or its argument is not the one that was sealed', async () => {
    const definition = sopOf({
      name: 'guarded',
      triggers: [cron('0 2 * * *', { condition: condition('region == "eu"'), params: { region: 'us' } })],
      steps: [{}],
    })
    const schedule = await make(definition)
    expect(await ended(await fire(schedule))).toMatchObject({
      status: 'cancelled',
      reason: expect.stringContaining('region == "eu"') as string,
    })
    const sealed = scheduleInput(schedule, (text) => key.seal(text))
    const startAs = async (workflowId: string, more: object) => {
      const { taskQueue } = engine
      await engine.temporal.workflow.start('runSop', { workflowId, taskQueue, args: [{ ...sealed, ...more }] })
      return ended(workflowId)
    }
    const forged = await startAs(`${schedule.runPrefix}-2026-01-01T00:00:00Z`, { params: { region: 'eu' } })
    expect(forged).toMatchObject({ status: 'cancelled', startedBy: { id: 'temporal' } })
    expect(forged.reason).toContain('the seal of the schedule is not one of this installation')
    const elsewhere = await startAs(`x-${schedule.runPrefix}`, {})
    expect(elsewhere.reason).toContain('is not the id of a run of schedule')
    const forced = await startAs(`${schedule.runPrefix}-2026-01-02T00:00:00Z`, { force: true })
    expect(forced).toMatchObject({
      status: 'cancelled',
      reason: expect.stringContaining('may not set "force"') as string,
    })
    const pinned = await startAs(`${schedule.runPrefix}-2026-01-03T00:00:00Z`, {
      pinned: { definition: { ...definition, triggers: [cron('0 2 * * *')] }, authority: 'mine' },
    })
    expect(pinned).toMatchObject({ status: 'cancelled', trigger: { type: 'cron' } })
  })

  // As the seeds spell them: dialects A, B (none), C, D and Z.
  test.each<[string, Readonly<Record<string, string>>]>([
    [
      '000',
      {
        'b/SOP.toml':
          '[sop]\nname = "seed-000"\nexecution_mode = "auto"\n[[triggers]]\ntype = "schedule"\ncron = "0 2 * * *"\n',
      },
    ],
    [
      '003',
      {
        'b/SOP.toml':
          '[sop]\nname = "seed-003"\nexecution_mode = "auto"\n[[triggers]]\ntype = "cron"\nexpression = "0 0 * * 0"\n',
      },
    ],
    [
      '004',
      {
        'seed-004.md':
          '---\nname: seed-004\nexecution_mode: auto\ntriggers:\n  - type: cron\n    expression: "0 2 * * *"\n---\n\n## Step 1: Go\n\n```bash\ntrue\n```\n',
      },
    ],
    [
      'macro',
      {
        'b/SOP.toml':
          '[sop]\nname = "seed-macro"\nexecution_mode = "auto"\n[[triggers]]\ntype = "cron"\nexpression = "@daily"\n',
      },
    ],
  ])('of seed %s starts its run', async (_, files) => {
    const folder = 'b/SOP.toml' in files ? { 'b/SOP.md': '## Steps\n\n1. **Go**\n\n   ```bash\n   true\n   ```\n' } : {}
    const sources = Object.entries({ ...files, ...folder }).map(([path, text]) => ({ path, text }))
    const { definition, diagnostics } = compile({ files: sources, fallbackName: 'b' })
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
    if (definition === undefined) throw new Error('no definition')
    expect(await ended(await fire(await make(definition)))).toMatchObject({
      status: 'completed',
      trigger: { type: 'cron' },
    })
  })
})

describe('Temporal fires when fires() says', () => {
  const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']
  const CRONS = [
    '30 2 * * *',
    '*/20 1-2 * * *',
    '15 * * * *',
    '0 0 13 * 5',
    '0 2 29 2 *',
    '45 1 * * 0',
    '@daily',
    '@every 45m',
  ]

  test.each(ZONES.flatMap((zone) => CRONS.map((expression) => [expression, zone] as const)))(
    '%s in %s',
    async (expression, timezone) => {
      const schedule = await make(
        sopOf({ name: `dst-${timezone.replace('/', '-')}`, timezone, triggers: [cron(expression)], steps: [{}] }),
      )
      const year = new Date().getUTCFullYear()
      // Two years: all changes of clocks, and a 29th of February in most.
      for (const [fromMs, toMs] of [0, 3, 6, 9, 12, 15, 18, 21].map(
        (month) => [Date.UTC(year, month), Date.UTC(year, month + 3)] as const,
      )) {
        const { startTime } = await engine.temporal.workflowService.listScheduleMatchingTimes({
          namespace: 'default',
          scheduleId: schedule.id,
          startTime: { seconds: fromMs / 1_000 - 1 } as never,
          endTime: { seconds: toMs / 1_000 - 1 } as never,
        })
        const theirs = startTime.map(({ seconds }) => new Date(Number(seconds) * 1_000).toISOString())
        const ours = firesBetween(parseCron(expression), timezone, { fromMs, toMs, limit: 1_000 })
        expect(theirs.slice(0, 1_000)).toEqual(ours.map((at) => new Date(at).toISOString()))
      }
    },
  )
})
