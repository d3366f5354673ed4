import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { SopDefinition } from '../../../src/core/definition.ts'
import type { RunSeed } from '../../../src/core/run/run.ts'
import { seedOf, type StartInput } from '../../../src/core/run/seed.ts'
import { nominalTime, sealedSchedule } from '../../../src/core/schedule/sealed-schedule.ts'
import { condition, sopOf } from '../../support/definitions.ts'
import { Play, seedOf as playSeed } from '../../support/play.ts'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const authority = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64')
const seal = (text: string): string => sign(null, Buffer.from(text), privateKey).toString('base64')

const SCHEDULE = { id: 'sop_schedule_test-sop_1', runPrefix: 'sop_run_test-sop_1', number: 1 }
const RUN_ID = 'sop_run_test-sop_1-2026-11-22T01:30:00Z'
const cron = { type: 'cron', expression: '30 2 * * *' } as const
const SOP = sopOf({ triggers: [cron], steps: [{}] })

const startOf = (more: Partial<StartInput> = {}, params?: StartInput['params']): StartInput => ({
  schedule: SCHEDULE,
  ...(params && { params }),
  seal: seal(sealedSchedule('test-sop', SCHEDULE, params)),
  ...more,
})

const seeded = (input: StartInput, definition: SopDefinition = SOP, runId = RUN_ID): RunSeed =>
  seedOf(runId, input, { ...playSeed(definition).pinned, authority })

describe('a run that a schedule started', () => {
  test('is by that schedule, at its nominal time, with the params of its trigger', () => {
    expect(seeded(startOf({}, { region: 'eu' }))).toMatchObject({
      params: { region: 'eu' },
      trigger: { type: 'cron', scheduledAt: '2026-11-22T01:30:00.000Z' },
      startedBy: { id: 'schedule:sop_schedule_test-sop_1', kind: 'timer' },
      via: 'schedule',
    })
    expect(seeded(startOf()).problems).toBeUndefined()
  })

  test.each<[string, StartInput, string]>([
    ['without a seal', { schedule: SCHEDULE }, 'the seal of the schedule'],
    ['with the seal of another SOP', startOf({ seal: seal(sealedSchedule('other', SCHEDULE, {})) }), 'the seal'],
    ['with other params', startOf({ params: { region: 'us' } }), 'the seal'],
    ['with another schedule', startOf({ schedule: { ...SCHEDULE, id: 'sop_schedule_other_1' } }), 'the seal'],
    ['with another number', startOf({ schedule: { ...SCHEDULE, number: 2 } }), 'the seal'],
    ['with another prefix', startOf({ schedule: { ...SCHEDULE, runPrefix: 'x' } }), 'the seal'],
    ['with no object', { schedule: 'x' as never, seal: 'x' }, 'the seal'],
    ['with numbers for names', { schedule: { id: 1, runPrefix: 2 } as never, seal: 'x' }, 'the seal'],
  ])('%s is refused, and nobody vouches for it', (_, input, problem) => {
    const seed = seeded(input)
    expect(seed.problems?.join()).toContain(problem)
    expect(seed).toMatchObject({ trigger: { type: 'manual' }, via: 'temporal', startedBy: { verified: false } })
    expect(new Play(SOP, seed).start().run.refused).toContain(problem)
  })

  test.each([
    'sop_run_test-sop_1',
    'sop_run_test-sop_1-',
    'sop_run_test-sop_1-now',
    'sop_run_test-sop_1-2026-13-22T01:30:00Z',
    'sop_run_test-sop_11-2026-11-22T01:30:00Z',
    'sop_run_other_1-2026-11-22T01:30:00Z',
  ])('refuses the id %s, which is not of one of its runs', (runId) => {
    expect(seeded(startOf(), SOP, runId).problems?.join()).toContain('is not the id of a run of schedule')
    expect(nominalTime(runId, SCHEDULE.runPrefix)).toBeUndefined()
  })

  test.each<[string, Partial<StartInput>]>([
    ['executionMode', { executionMode: 'auto' }],
    ['skipApproval', { skipApproval: true }],
    ['force', { force: true }],
    ['parent', { parent: { runId: 'x', workId: 'y', stepNumber: 1 } }],
  ])('may not set %s, with whatever seal', (key, more) => {
    const seed = seeded(startOf(more))
    expect(seed.problems).toEqual([`a schedule may not set "${key}"`])
    expect(seed).not.toHaveProperty(key)
  })

  test('takes nothing else at its word', () => {
    const startedBy = { id: 'root', kind: 'user' } as const
    expect(seeded(startOf({ startedBy, via: 'cli', trigger: { type: 'webhook' }, rulesVersion: 99 }))).toMatchObject({
      startedBy: { id: 'schedule:sop_schedule_test-sop_1' },
      via: 'schedule',
      trigger: { type: 'cron' },
      rulesVersion: 1,
    })
  })

  test('is refused when the file has the trigger no more, or its params do not fit', () => {
    expect(seeded(startOf(), sopOf({ steps: [{}] })).problems).toEqual([
      'SOP "test-sop" has no cron trigger number 1 any more',
    ])
    const typed = sopOf({ triggers: [cron], params: [{ name: 'n', type: 'number', required: true }], steps: [{}] })
    expect(seeded(startOf(), typed).problems?.join()).toContain('"n"')
    expect(seeded(startOf({}, { n: 5 }), typed)).toMatchObject({ params: { n: 5 } })
    const secret = sopOf({ triggers: [cron], params: [{ name: 'key', type: 'string', secret: true }], steps: [{}] })
    expect(seeded(startOf({}, { key: 'abc' }), secret).problems?.join()).toMatch(/secret params \(key\)/)
  })

  test('asks the condition of its trigger before the preconditions of the SOP', () => {
    const only = (text: string) => sopOf({ triggers: [{ ...cron, condition: condition(text) }], steps: [{}] })
    const played = (text: string) => {
      const definition = only(text)
      return new Play(definition, seeded(startOf({}, { region: 'eu' }), definition)).start()
    }
    expect(played('region == "us"').run.refused).toContain('condition "region == "us"" is not met')
    expect([...played('region == "eu"').works.keys()]).toEqual(['step:1#1'])
  })
})
