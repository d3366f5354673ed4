import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { engineNote, isEngineNote, personNote, readNote } from '../../../src/core/schedule/pause-note.ts'
import { planSchedules, type ScheduledSop, type Standing } from '../../../src/core/schedule/plan.ts'
import { schedulesOf } from '../../../src/core/schedule/schedule.ts'
import { sopOf } from '../../support/definitions.ts'

const NOW = Date.parse('2026-11-21T12:00:00Z')
const SETTINGS = { taskQueue: 'sop', timezone: 'UTC', authority: 'a' }

/** An SOP of the catalog with crons at these hours. */
const sop = (name: string, hours: readonly number[], path = `${name}/SOP.toml`): ScheduledSop => {
  const triggers = hours.map((hour) => ({ type: 'cron', expression: `0 ${hour} * * *` }) as const)
  return { name, path, schedules: schedulesOf(sopOf({ name, triggers, steps: [{}] }), path, SETTINGS, NOW) }
}
const broken = (name: string, path = `${name}/SOP.toml`): ScheduledSop => ({
  name,
  path,
  schedules: [],
  broken: `SOP "${name}" does not compile`,
})

/** Temporal as the plan sees it. */
class Cluster {
  readonly schedules = new Map<string, Required<Standing> & { expression: string }>()
  private readonly seen = new Set<string>()

  list(): readonly Standing[] {
    return [...this.schedules.values()].map(({ inside, expression: _, ...each }) =>
      this.seen.has(each.id) ? { ...each, inside } : each,
    )
  }

  /** Carries plans out until nothing is to be done, or until it dies after so many changes. @returns what it did */
  follow(sops: readonly ScheduledSop[], diesAfter = Number.POSITIVE_INFINITY): readonly string[] {
    const done: string[] = []
    this.seen.clear()
    for (let round = 0; round < 10; round++) {
      const actions = planSchedules(sops, this.list())
      if (actions.length === 0) return done
      for (const action of actions) {
        if (action.kind === 'look') {
          this.seen.add(action.id)
          continue
        }
        if (done.length === diesAfter) return done
        done.push(`${action.kind} ${action.kind === 'create' ? action.schedule.id : action.id}`)
        if (action.kind === 'delete') this.schedules.delete(action.id)
        else if (action.kind === 'set_pause') Object.assign(this.of(action.id), action.state)
        else {
          const { schedule, state } = action
          this.schedules.set(schedule.id, {
            id: schedule.id,
            sop: schedule.sop,
            digest: schedule.digest,
            inside: { path: schedule.path, key: schedule.key, number: schedule.number },
            expression: schedule.expression,
            ...state,
          })
        }
      }
    }
    throw new Error('the plan does not come to an end')
  }

  pause(id: string, note = 'away'): void {
    Object.assign(this.of(id), { paused: true, note })
  }

  of(id: string) {
    const found = this.schedules.get(id)
    if (found === undefined) throw new Error(`no schedule ${id}`)
    return found
  }

  /** `expression`, with `!` and the note where it is paused, by id. */
  get shown(): Readonly<Record<string, string>> {
    return Object.fromEntries(
      [...this.schedules.values()].map(({ id, expression, paused, note }) => [
        id.replace('sop_schedule_', ''),
        `${expression.split(' ')[1]}${paused ? `! ${note}` : ''}`,
      ]),
    )
  }
}

const standing = (...sops: readonly ScheduledSop[]): Cluster => {
  const cluster = new Cluster()
  cluster.follow(sops)
  return cluster
}

describe('planSchedules()', () => {
  test('makes what is missing, and then does nothing', () => {
    const cluster = standing(sop('a', [1, 2]), sop('b', []), sop('c', [3]))
    expect(cluster.shown).toEqual({ a_1: '1', a_2: '2', c_1: '3' })
    expect(cluster.follow([sop('a', [1, 2]), sop('b', []), sop('c', [3])])).toEqual([])
  })

  test('an edited trigger is changed, and keeps the pause and note of an operator', () => {
    const cluster = standing(sop('a', [1, 2]))
    cluster.pause('sop_schedule_a_2')
    expect(cluster.follow([sop('a', [1, 5])])).toEqual(['update sop_schedule_a_2'])
    expect(cluster.shown).toEqual({ a_1: '1', a_2: '5! away' })
  })

  test('a removed trigger, and a removed SOP, is deleted; nothing else is touched', () => {
    const cluster = standing(sop('a', [1]), sop('b', [2]), sop('c', [3]))
    expect(cluster.follow([sop('a', []), sop('c', [3])])).toEqual([
      'delete sop_schedule_a_1',
      'delete sop_schedule_b_1',
    ])
    expect(cluster.shown).toEqual({ c_1: '3' })
  })

  test.each<[string, readonly number[], readonly number[], Record<string, string>]>([
    ['moves up', [1, 2, 3], [2, 3], { a_1: '2! away', a_2: '3' }],
    ['moves down', [2, 3], [1, 2, 3], { a_1: '1', a_2: '2! away', a_3: '3' }],
    ['changes places', [2, 3], [3, 2], { a_1: '3', a_2: '2! away' }],
    ['goes', [1, 2], [1], { a_1: '1' }],
    ['is replaced in its place', [1, 2], [1, 9], { a_1: '1', a_2: '9! away' }],
  ])('a pause follows its trigger when that %s', (_, before, after, expected) => {
    const cluster = standing(sop('a', before))
    cluster.pause(`sop_schedule_a_${before.indexOf(2) + 1}`)
    cluster.follow([sop('a', after)])
    expect(cluster.shown).toEqual(expected)
  })

  test('an SOP that changes its name takes its pause along', () => {
    const cluster = standing(sop('a', [1, 2]))
    cluster.pause('sop_schedule_a_1')
    cluster.follow([sop('renamed', [1, 2], 'a/SOP.toml')])
    expect(cluster.shown).toEqual({ renamed_1: '1! away', renamed_2: '2' })
  })

  test('a file that moves changes no schedule but its mark', () => {
    const cluster = standing(sop('a', [1]))
    cluster.pause('sop_schedule_a_1')
    expect(cluster.follow([sop('a', [1], 'elsewhere/SOP.toml')])).toEqual(['update sop_schedule_a_1'])
    expect(cluster.shown).toEqual({ a_1: '1! away' })
  })

  test('an SOP that no longer compiles keeps its last good schedules, paused by us, until it does again', () => {
    const cluster = standing(sop('a', [1, 2]))
    cluster.pause('sop_schedule_a_2')
    cluster.follow([broken('a')])
    expect(cluster.shown).toEqual({ a_1: '1! [engine] SOP "a" does not compile', a_2: '2! away' })
    expect(cluster.follow([broken('a')])).toEqual([])
    cluster.follow([sop('a', [1, 2])])
    expect(cluster.shown).toEqual({ a_1: '1', a_2: '2! away' })
  })

  test('mended with another trigger it is edited and let go in one step', () => {
    const cluster = standing(sop('a', [1]))
    cluster.follow([broken('a')])
    expect(cluster.follow([sop('a', [7])])).toEqual(['update sop_schedule_a_1'])
    expect(cluster.shown).toEqual({ a_1: '7' })
  })

  test('a file so broken that its name cannot be read is known by its path', () => {
    const cluster = standing(sop('deploy-production', [1], 'deploy/SOP.toml'))
    cluster.follow([broken('deploy', 'deploy/SOP.toml'), sop('b', [])])
    expect(cluster.shown).toEqual({ 'deploy-production_1': '1! [engine] SOP "deploy" does not compile' })
    cluster.follow([sop('deploy-production', [1], 'deploy/SOP.toml')])
    expect(cluster.shown).toEqual({ 'deploy-production_1': '1' })
  })

  test('a directory that stands empty pauses the schedules of several SOPs and forgets none', () => {
    const cluster = standing(sop('a', [1]), sop('b', [2]))
    cluster.pause('sop_schedule_b_1')
    cluster.follow([])
    expect(cluster.shown).toEqual({ a_1: '1! [engine] no SOP is left in the SOP directory', b_1: '2! away' })
    cluster.follow([sop('a', [1]), sop('b', [2])])
    expect(cluster.shown).toEqual({ a_1: '1', b_1: '2! away' })
    const one = standing(sop('a', [1]))
    one.follow([])
    expect(one.shown).toEqual({})
  })

  test('whatever is edited, with deaths in between, the end is what the files say, and no pause is lost or made', () => {
    const hours = fc.uniqueArray(fc.integer({ min: 0, max: 5 }), { maxLength: 3 })
    const catalog = fc.record({ a: hours, b: hours, c: hours })
    const edit = fc.record({ catalog, diesAfter: fc.integer({ min: 0, max: 4 }) })
    fc.assert(
      fc.property(catalog, fc.integer({ min: 0, max: 5 }), fc.array(edit, { maxLength: 4 }), (first, hour, edits) => {
        const sopsOf = (each: typeof first) => Object.entries(each).map(([name, at]) => sop(name, at))
        const cluster = standing(...sopsOf(first))
        // An operator pauses one trigger; as long as it stands in the file, it stays paused, and no other is.
        let isPaused = false
        for (const [id, { sop: name, expression }] of cluster.schedules) {
          if (name === 'a' && expression === `0 ${hour} * * *`) {
            cluster.pause(id)
            isPaused = true
          }
        }
        for (const { catalog: next, diesAfter } of edits) {
          cluster.follow(sopsOf(next), diesAfter)
          cluster.follow(sopsOf(next))
          isPaused = isPaused && next.a.includes(hour)
          const wanted = sopsOf(next).flatMap((each) => each.schedules)
          expect([...cluster.schedules.keys()].sort()).toEqual(wanted.map(({ id }) => id).sort())
          for (const schedule of wanted) {
            const found = cluster.of(schedule.id)
            expect(found.digest).toBe(schedule.digest)
            if (isPaused && schedule.sop === 'a' && schedule.expression === `0 ${hour} * * *`)
              expect(found).toMatchObject({ paused: true, note: 'away' })
            else if (schedule.sop !== 'a') expect(found.paused).toBe(false)
          }
          if (!isPaused) return
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('schedulesOf()', () => {
  const of = (sketch: Parameters<typeof sopOf>[0], settings = SETTINGS, now = NOW) =>
    schedulesOf(sopOf(sketch), 'x/SOP.toml', settings, now)
  const cron = { type: 'cron', expression: '30 2 * * *' } as const

  test('counts cron triggers alone, and names zone, catch-up and overlap where nothing is said', () => {
    const [first, second, ...more] = of({
      name: 'x',
      timezone: 'Europe/Berlin',
      triggers: [{ type: 'manual' }, cron, { ...cron, timezone: 'UTC', overlap: 'skip', catchUpMs: 1, jitterMs: 500 }],
      steps: [{}],
    })
    expect(first).toMatchObject({
      id: 'sop_schedule_x_1',
      runPrefix: 'sop_run_x_1',
      timezone: 'Europe/Berlin',
      overlap: 'allow_all',
      catchUpMs: 86_400_000,
      jitterMs: 0,
    })
    expect(second).toMatchObject({ id: 'sop_schedule_x_2', timezone: 'UTC', overlap: 'skip', catchUpMs: 10_000 })
    expect(more).toEqual([])
  })

  test('of installations that share a namespace differ in id and in the ids of their runs', () => {
    const [schedule] = of({ name: 'x', triggers: [cron], steps: [{}] }, { ...SETTINGS, taskQueue: 'blue' })
    expect(schedule).toMatchObject({ id: 'sop_schedule-blue_x_1', runPrefix: 'sop_run_blue_x_1' })
  })

  test('has another digest when anything that is written changes: trigger, key, clock changes of a new year', () => {
    const sketch = { name: 'x', timezone: 'Europe/Berlin', triggers: [cron], steps: [{}] }
    const digests = [
      of(sketch),
      of({ ...sketch, triggers: [{ ...cron, jitterMs: 1_000 }] }),
      of({ ...sketch, triggers: [{ ...cron, params: { a: 1 } }] }),
      of({ ...sketch, timezone: 'UTC' }),
      of({ ...sketch, priority: 'high' }),
      of(sketch, { ...SETTINGS, authority: 'b' }),
      of(sketch, SETTINGS, Date.parse('2027-01-01T00:00:00Z')),
    ].map(([schedule]) => schedule?.digest)
    expect(new Set(digests).size).toBe(digests.length)
    expect(of({ ...sketch, description: 'other' }, SETTINGS, Date.parse('2026-01-01T00:00:00Z'))).toEqual(of(sketch))
  })
})

describe('a note', () => {
  test('says who paused it, and only ours is lifted by us', () => {
    expect(readNote(engineNote('x does not compile'))).toEqual({ by: 'the engine', reason: 'x does not compile' })
    expect(readNote(personNote('alice', 'cli', 'holiday'))).toEqual({ by: 'alice via cli', reason: 'holiday' })
    expect(readNote('paused via UI')).toEqual({ by: 'somebody in Temporal', reason: 'paused via UI' })
    expect(isEngineNote(personNote('engine', 'cli', 'x'))).toBe(false)
  })
})
