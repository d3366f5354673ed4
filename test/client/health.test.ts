import type { Client } from '@temporalio/client'
import { expect, test } from 'vitest'
import type { Health } from '../../src/client/client.ts'
import { createHealth, type HealthDeps } from '../../src/client/health.ts'
import { createHealthWatch } from '../../src/engine/health-watch.ts'

interface World {
  temporal: boolean
  pollers: number
  lists: boolean
  poolWaits: readonly (readonly string[])[]
  more: Health['checks']
  now: number
  questions: number
}

const START = Date.parse('2026-11-21T03:00:00.000Z')

const engine = (): { readonly world: World; readonly read: () => Promise<Health> } => {
  const world: World = {
    temporal: true,
    pollers: 1,
    lists: true,
    poolWaits: [],
    more: {},
    now: START,
    questions: 0,
  }
  const answer = <T>(value: T): T => {
    if (!world.temporal) throw new Error('no connection')
    return value
  }
  const temporal = {
    options: { namespace: 'default' },
    connection: { withDeadline: async <T>(_at: number, call: () => Promise<T>): Promise<T> => call() },
    workflowService: {
      getSystemInfo: async () => {
        world.questions += 1
        return answer({})
      },
      describeTaskQueue: async () => answer({ pollers: Array.from({ length: world.pollers }, () => ({})) }),
    },
  } as unknown as Client
  const records: HealthDeps['records'] = {
    index: {
      list: async () => {
        if (!world.lists) throw new Error('no database')
        return world.poolWaits.map((poolWaits) => ({ poolWaits }))
      },
    },
  }
  const read = createHealth({
    temporal,
    taskQueue: 'sop',
    version: '1.2.3',
    records,
    moreChecks: async () => world.more,
    now: () => world.now,
  })
  return {
    world,
    read: () => {
      world.now += 1_000
      return read()
    },
  }
}

test('createHealth() is ok where everything works', async () => {
  const { read } = engine()
  expect(await read()).toEqual({
    status: 'ok',
    version: '1.2.3',
    checks: { temporal: { ok: true }, worker: { ok: true }, records: { ok: true } },
  })
})

test.each<[string, Partial<World>, Health['status'], string, RegExp, RegExp]>([
  ['Temporal is away', { temporal: false }, 'down', 'temporal', /cannot be reached/, /go on by themselves/],
  ['no worker polls', { pollers: 0 }, 'degraded', 'worker', /no worker polls task queue "sop"/, /sop worker/],
  ['the list cannot be read', { lists: false }, 'degraded', 'records', /cannot be read/, /go on by themselves/],
  [
    'the record cannot be written',
    { more: { records: { ok: false, detail: 'cannot be written', help: 'Make room' } } },
    'degraded',
    'records',
    /cannot be written/,
    /Make room/,
  ],
  [
    'a pool has no worker',
    { poolWaits: [['dba', 'dba'], [], ['dba']] },
    'degraded',
    'pools',
    /no worker of pool "dba", and 2 runs wait for one/,
    /sop worker --pool dba/,
  ],
  ['a source is away', { more: { mqtt: { ok: false, detail: 'not connected' } } }, 'degraded', 'mqtt', /not/, /^$/],
])(
  'createHealth() says it where %s, with since when and the way out',
  async (_, change, status, name, detail, help) => {
    const { world, read } = engine()
    Object.assign(world, change)
    const health = await read()
    expect(health.status).toBe(status)
    const found = health.checks[name]
    expect(found).toMatchObject({ ok: false, since: '2026-11-21T03:00:01.000Z' })
    expect(found?.detail).toMatch(detail)
    expect(found?.help ?? '').toMatch(help)
  },
)

test('createHealth() keeps since when through all that ask, begins anew after it was well, and believes a check that knows', async () => {
  const { world, read } = engine()
  world.pollers = 0
  await read()
  expect((await read()).checks['worker']?.since).toBe('2026-11-21T03:00:01.000Z')
  world.pollers = 1
  expect((await read()).checks['worker']).toEqual({ ok: true })
  world.pollers = 0
  expect((await read()).checks['worker']?.since).toBe('2026-11-21T03:00:04.000Z')
  world.more = { disk: { ok: false, since: '2026-11-20T00:00:00.000Z' } }
  expect((await read()).checks['disk']?.since).toBe('2026-11-20T00:00:00.000Z')
})

test('createHealth() asks once for all that ask within half a second', async () => {
  const { world, read } = engine()
  await read()
  const { now } = world
  for (let count = 0; count < 50; count += 1) {
    world.now = now - 600
    await read()
  }
  expect(world.questions).toBe(1)
  world.now = now
  await read()
  expect(world.questions).toBe(2)
})

test('createHealthWatch() logs what breaks once, and when it is well again', async () => {
  const { world, read } = engine()
  const lines: string[] = []
  const say = (message: string): void => void lines.push(message)
  const watch = createHealthWatch({ read, log: { info: say, warn: say }, everyMs: 1_000_000 })
  await watch.look()
  world.more = { disk: { ok: false, detail: 'the disk is nearly full', help: 'Make room' } }
  await watch.look()
  await watch.look()
  world.more = {}
  await watch.look()
  watch.close()
  expect(lines).toEqual([
    'The engine is not well (disk): the disk is nearly full. Make room',
    'The engine is well again (disk)',
  ])
})
