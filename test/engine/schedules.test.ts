import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Connection } from '@temporalio/client'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { createCatalog } from '../../src/client/catalog.ts'
import { createScheduleStore, type LookedSchedule, type ScheduleStore } from '../../src/client/schedule-store.ts'
import { createScheduledSops, pausedNotices } from '../../src/client/scheduled-sops.ts'
import { createCatalogWatch } from '../../src/engine/catalog-watch.ts'
import { createScheduleSource } from '../../src/triggers/schedules.ts'
import { until } from '../support/engine.ts'

const QUIET = { info: () => {}, warn: () => {}, debug: () => {} }
const closers: (() => Promise<void>)[] = []
let connection: Connection
let temporal: Client

beforeAll(async () => {
  connection = await Connection.connect({ address: inject('temporalAddress') })
  temporal = new Client({ connection })
})
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})
afterAll(() => connection.close())

/** An SOP with crons at these hours, in dialect A. */
const files = (name: string, hours: readonly number[], more = ''): Readonly<Record<string, string>> => ({
  'SOP.toml': [
    '[sop]',
    `name = "${name}"`,
    'description = "x"',
    more,
    ...hours.map((hour) => `[[triggers]]\ntype = "cron"\nexpression = "0 ${hour} * * *"\n`),
  ].join('\n'),
  'SOP.md': '## Steps\n\n1. **Look**\n\n   ```bash\n   true\n   ```\n',
})

/** A SOP directory, and what keeps the schedules of a task queue of its own in step with it. */
const setUp = async (wrap: (store: ScheduleStore) => ScheduleStore = (store) => store, queue?: string) => {
  const sopDir = await mkdtemp(join(tmpdir(), 'sop-schedules-'))
  const taskQueue = queue ?? `schedules-${randomUUID()}`
  const now = () => Date.now()
  const store = createScheduleStore({ temporal: () => temporal, taskQueue, seal: () => 'seal', now })
  const watch = createCatalogWatch({ catalog: createCatalog({ sopDir }), sopDir, workdir: sopDir, log: QUIET })
  const sopsOf = createScheduledSops({ taskQueue, timezone: 'UTC', authority: 'key' }, now)
  const newSource = (used = wrap(store)) => createScheduleSource({ watch, store: used, sopsOf, log: QUIET, now })
  const source = newSource()
  const write = async (folder: string, all: Readonly<Record<string, string>>): Promise<void> => {
    await mkdir(join(sopDir, folder), { recursive: true })
    for (const [file, text] of Object.entries(all)) await writeFile(join(sopDir, folder, file), text)
  }
  closers.push(async () => {
    await watch.close()
    await source.close()
    for (const { id } of await store.list()) await store.remove(id)
    await rm(sopDir, { recursive: true, force: true })
  })
  const idOf = (short: string): string => `sop_schedule-${taskQueue}_${short}`
  const looked = async (short: string): Promise<LookedSchedule> => {
    const found = await store.look(idOf(short))
    if (found === undefined || found === 'foreign') throw new Error(`no schedule ${short}`)
    return found
  }
  return {
    sopDir,
    store,
    taskQueue,
    source,
    newSource,
    watch,
    write,
    idOf,
    looked,
    start: async () => {
      source.start()
      await watch.start()
      await source.reconcile()
    },
    pause: async (short: string, note = 'holiday') => {
      expect(await store.setPause(await looked(short), { paused: true, note })).toBe('done')
    },
    /** Hours of the schedules that stand, with `!` and the note where they are paused, by id, each looked at itself. */
    standing: async (shorts: readonly string[]): Promise<Readonly<Record<string, string>>> => {
      const found = await Promise.all(
        shorts.map(async (short): Promise<readonly [string, string]> => {
          const each = await store.look(idOf(short))
          if (each === undefined || each === 'foreign') return [short, each ?? 'none']
          const hour = each.raw.spec?.structuredCalendar?.[0]?.hour?.[0]?.start
          return [short, `${String(hour)}${each.paused ? `! ${each.note}` : ''}`]
        }),
      )
      return Object.fromEntries(found)
    },
  }
}

/** Waits until it is so; gives how long that took, in milliseconds. */
const soon = async <T>(look: () => Promise<T>, expected: T): Promise<number> => {
  const text = JSON.stringify(expected)
  const begun = performance.now()
  await until(look, (value) => JSON.stringify(value) === text, 30_000)
  return performance.now() - begun
}

const medianOf = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

describe('the schedules in Temporal', () => {
  test('follow an edit, a removed trigger, a new name and a deleted file within a second; a pause survives', async () => {
    const rig = await setUp()
    await rig.write('a', files('a', [1, 2]))
    await rig.write('b', files('b', [5]))
    await rig.start()
    const all = () => rig.standing(['a_1', 'a_2', 'b_1', 'c_1', 'c_2'])
    await soon(all, { a_1: '1', a_2: '2', b_1: '5', c_1: 'none', c_2: 'none' })
    await rig.pause('a_2')
    const [took, plain]: [number[], number[]] = [[], []]
    /** What a change by hand of one schedule takes here and now, where nothing has to be noticed. */
    const byHand = async (): Promise<void> => {
      const begun = performance.now()
      await rig.pause('b_1')
      expect(await rig.store.setPause(await rig.looked('b_1'), { paused: false, note: '' })).toBe('done')
      plain.push((performance.now() - begun) / 2)
    }
    const follows = async (expected: Readonly<Record<string, string>>): Promise<void> => {
      took.push(await soon(all, { a_1: 'none', a_2: 'none', b_1: '5', c_1: 'none', c_2: 'none', ...expected }))
      await byHand()
    }

    await rig.write('a', files('a', [1, 7]))
    await follows({ a_1: '1', a_2: '7! holiday' })
    await rig.write('a', files('a', [7]))
    await follows({ a_1: '7! holiday' })
    await rig.write('a', files('a', [3, 7]))
    await follows({ a_1: '3', a_2: '7! holiday' })
    await rig.write('a', files('c', [3, 7]))
    await follows({ c_1: '3', c_2: '7! holiday' })
    await rename(join(rig.sopDir, 'a'), join(rig.sopDir, 'elsewhere'))
    took.push(await soon(async () => (await rig.looked('c_2')).inside.path, 'elsewhere/SOP.md'))
    await follows({ c_1: '3', c_2: '7! holiday' })
    await rm(join(rig.sopDir, 'elsewhere'), { recursive: true })
    await follows({})
    // On a busy machine one or the other takes longer, and all of them where it is a slow one.
    expect(medianOf(took)).toBeLessThan(Math.max(1_000, 20 * medianOf(plain)))
  })

  test('stand paused with our note while the SOP does not compile, and go on when it does again', async () => {
    const rig = await setUp()
    await rig.write('a', files('a', [1, 2]))
    await rig.start()
    await rig.pause('a_2')
    const all = () => rig.standing(['a_1', 'a_2'])
    await rig.write('a', { 'SOP.toml': '[sop]\nname = "a"\npriority = "huge"\n' })
    await until(all, (each) => /^1! \[engine\] SOP "a" no longer compiles: a\/SOP.toml:3:/.test(each['a_1'] ?? ''))
    expect(await all()).toMatchObject({ a_2: '2! holiday' })
    await until(
      async () => rig.source.pausedByUs().map(({ id }) => id),
      (ids) => ids.join() === rig.idOf('a_1'),
    )
    expect(rig.source.health()).toMatchObject({
      ok: false,
      detail: expect.stringContaining('no longer compiles') as string,
    })
    const report = { pausedByUs: rig.source.pausedByUs }
    expect(pausedNotices(report, 'a')).toEqual([
      `Schedule "${rig.idOf('a_1')}" stands paused until the SOP can start again`,
    ])
    expect(pausedNotices(report, 'b')).toEqual([])
    await rig.write('a', { 'SOP.toml': 'name = [' })
    await until(all, (each) => /^1! .*a\/SOP.toml:1:/.test(each['a_1'] ?? ''))
    await rig.write('a', files('a', [1, 2]))
    await soon(all, { a_1: '1', a_2: '2! holiday' })
    await until(
      async () => rig.source.health(),
      (health) => health?.ok === true,
    )
  })

  test('of others are never touched, whatever their id; of another task queue neither', async () => {
    const [rig, other] = [await setUp(), await setUp()]
    await other.write('a', files('a', [4]))
    await other.start()
    const foreign = rig.idOf('a_1')
    const action = { type: 'startWorkflow', workflowType: 'x', taskQueue: 'nobody' } as const
    const handle = await temporal.schedule.create({
      scheduleId: foreign,
      spec: { intervals: [{ every: '9h' }] },
      action,
    })
    await rig.write('a', files('a', [1, 2]))
    await rig.start()
    expect(await rig.standing(['a_1', 'a_2'])).toEqual({ a_1: 'foreign', a_2: '2' })
    expect([...rig.source.problems().keys()]).toEqual([foreign])
    await rig.write('a', files('a', []))
    await soon(() => rig.standing(['a_1', 'a_2']), { a_1: 'foreign', a_2: 'none' })
    expect(await handle.describe()).toMatchObject({ action: { taskQueue: 'nobody' } })
    expect(await other.standing(['a_1'])).toEqual({ a_1: '4' })
    await handle.delete()
  })

  test('are mended by the next pass after a death at any point of one', async () => {
    let left = Number.POSITIVE_INFINITY
    const dying = (store: ScheduleStore): ScheduleStore => {
      const or = <A extends unknown[], T>(work: (...args: A) => Promise<T>) => {
        return async (...args: A): Promise<T> => {
          if (left-- <= 0) throw new Error('dead')
          return work(...args)
        }
      }
      return {
        ...store,
        create: or(store.create),
        update: or(store.update),
        setPause: or(store.setPause),
        remove: or(store.remove),
      }
    }
    const rig = await setUp(dying)
    const [before, after] = [
      { a: files('a', [1, 2]), b: files('b', [3]), c: files('c', [4]) },
      { a: files('a', [2, 6, 1]), b: files('renamed', [3]), c: files('c', []) },
    ]
    const save = async (all: typeof before) => {
      for (const [folder, text] of Object.entries(all)) await rig.write(folder, text)
      await rig.watch.look()
    }
    const ids = ['a_1', 'a_2', 'a_3', 'b_1', 'renamed_1', 'c_1']
    await save(before)
    rig.source.start()
    await rig.source.reconcile()
    for (const dies of [0, 2, 4]) {
      await save(before)
      await until(
        () => rig.source.reconcile().then(() => rig.standing(ids)),
        (each) => each['a_3'] === 'none' && each['renamed_1'] === 'none' && each['c_1'] === '4',
      )
      await rig.pause('a_2')
      await rig.pause('b_1', 'away')
      left = dies
      await save(after)
      await rig.source.reconcile().catch(() => {})
      left = Number.POSITIVE_INFINITY
      const next = rig.newSource(rig.store)
      next.start()
      await next.reconcile()
      expect(await rig.standing(ids), `after ${dies} changes`).toEqual({
        a_1: '2! holiday',
        a_2: '6',
        a_3: '1',
        b_1: 'none',
        renamed_1: '3! away',
        c_1: 'none',
      })
      expect(await next.reconcile()).toEqual([])
      await next.close()
    }
  })

  test('keep a pause that an operator sets while an edit is written', async () => {
    let isArmed = false
    const rig = await setUp((store) => ({
      ...store,
      update: async (looked, schedule, state) => {
        if (isArmed) {
          isArmed = false
          expect(await store.setPause(looked, { paused: true, note: 'just now' })).toBe('done')
        }
        return store.update(looked, schedule, state)
      },
    }))
    await rig.write('a', files('a', [1]))
    await rig.start()
    isArmed = true
    await rig.write('a', files('a', [2]))
    await soon(() => rig.standing(['a_1']), { a_1: '2! just now' })
  })

  test('that somebody deleted or changed in Temporal are made again by the next full pass', async () => {
    const rig = await setUp()
    await rig.write('a', files('a', [1]))
    await rig.start()
    await rig.store.remove(rig.idOf('a_1'))
    await until(rig.store.list, (listed) => listed.length === 0)
    // A new engine knows nothing yet but the list.
    const next = rig.newSource(rig.store)
    next.start()
    await next.reconcile()
    expect(await rig.standing(['a_1'])).toEqual({ a_1: '1' })
    await next.close()
  })

  test('that Temporal refuses are told of, and neither deleted nor in the way of others', async () => {
    const odd = { expression: '@every 1h', timezone: 'Mars/Base' }
    let isOdd = false
    const rig = await setUp((store) => ({
      ...store,
      create: (schedule, state) => store.create(schedule.number === 2 ? { ...schedule, ...odd } : schedule, state),
      update: (looked, schedule, state) => store.update(looked, isOdd ? { ...schedule, ...odd } : schedule, state),
    }))
    await rig.write('a', files('a', [1, 2]))
    await rig.start()
    expect(await rig.standing(['a_1', 'a_2'])).toEqual({ a_1: '1', a_2: 'none' })
    expect(rig.source.problems().get(rig.idOf('a_2'))).toMatch(/Cannot make schedule ".*_a_2": Temporal says .*Mars/)
    isOdd = true
    await rig.write('a', files('a', [5]))
    await rig.watch.look()
    await rig.source.reconcile()
    expect(await rig.standing(['a_1'])).toEqual({ a_1: '1' })
    expect([...rig.source.problems().keys()]).toEqual([rig.idOf('a_1')])
  })
})
