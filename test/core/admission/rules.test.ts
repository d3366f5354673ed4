import { describe, expect, test } from 'vitest'
import { EMPTY_ADMISSION } from '../../../src/core/admission.ts'
import { queueOf } from '../../../src/core/admission/queue.ts'
import { isQueueCommand, isRequest } from '../../../src/core/admission/read.ts'
import { Door, iso, START } from './support.ts'

const HOUR = 3_600_000

describe('locks', () => {
  test('a run that needs a held lock waits and says who holds it', () => {
    const door = new Door().ask('a#1', { locks: ['x'] }).ask('b#1', { locks: ['x'] })
    expect(door.said('a#1')).toBe('admitted')
    expect(door.said('b#1')).toBe('queued: run "a#1" holds lock "x"')
    expect(door.release('a#1').said('b#1')).toBe('admitted')
  })

  test('locks are taken all or none: a run that waits for one leaves the other free until it is its turn', () => {
    const door = new Door().ask('a#1', { locks: ['x'] }).ask('ab#1', { locks: ['x', 'y'] })
    expect(door.inside).toEqual(['a#1'])
    expect(door.state.holders.flatMap(({ locks = [] }) => locks)).toEqual(['x'])
  })

  test('a run that needs several is not passed by those that need one of them', () => {
    const door = new Door()
      .ask('a#1', { locks: ['x'] })
      .ask('ab#1', { locks: ['x', 'y'] })
      .ask('b#1', { locks: ['y'] })
    expect(door.said('b#1')).toBe('queued: run "ab#1" waits for lock "y" before it')
    door.release('a#1')
    expect(door.inside).toEqual(['ab#1'])
    expect(door.release('ab#1').said('b#1')).toBe('admitted')
  })

  test('a run that waits for something else keeps no locks from the others', () => {
    const door = new Door()
      .ask('a#1', { maxConcurrent: 1 })
      .ask('a#2', { maxConcurrent: 1, locks: ['x'] })
      .ask('b#1', { locks: ['x'] })
    expect(door.said('b#1')).toBe('admitted')
  })

  test('a lock has to be free as well where there is a slot, and the reverse', () => {
    const door = new Door()
      .ask('a#1', { locks: ['x'], maxConcurrent: 2 })
      .ask('a#2', { locks: ['x'], maxConcurrent: 2 })
    expect(door.inside).toEqual(['a#1'])
    const other = new Door().ask('a#1', { maxConcurrent: 1 }).ask('a#2', { locks: ['x'], maxConcurrent: 1 })
    expect(other.said('a#2')).toBe('queued: SOP "a" runs 1 of at most 1 at once')
  })

  test('admission = "reject" refuses where a lock is held, or kept for one before it', () => {
    const door = new Door().ask('a#1', { locks: ['x'] }).ask('ab#1', { locks: ['x', 'y'] })
    expect(door.ask('b#1', { locks: ['x'], admission: 'reject' }).said('b#1')).toBe('refused: run "a#1" holds lock "x"')
    expect(door.ask('b#2', { locks: ['y'], admission: 'reject' }).said('b#2')).toBe(
      'refused: run "ab#1" waits for lock "y" before it',
    )
  })
})

describe('a run that is a step of another', () => {
  const above = () => new Door().ask('p#1', { locks: ['x', 'y'] })

  test('shares the locks of the run whose step it is, and nobody else gets them before both are over', () => {
    const door = above()
      .ask('z#1', { locks: ['x'] })
      .ask('c#1', { locks: ['x'], parent: 'p#1' })
    expect(door.inside).toEqual(['p#1', 'c#1'])
    expect(door.release('p#1').said('z#1')).toBe('queued: run "p#1" holds lock "x"')
    expect(door.inside).toEqual(['c#1'])
    expect(door.release('c#1').said('z#1')).toBe('admitted')
  })

  test('takes turns with the others of its kind, whoever waits for the whole', () => {
    const door = above().ask('z#1', { locks: ['x'], priority: 1 })
    door.ask('c#1', { locks: ['x'], parent: 'p#1' }).ask('c#2', { locks: ['x'], parent: 'p#1' })
    expect(door.said('c#2')).toBe('queued: run "c#1" holds lock "x"')
    door.release('c#1')
    expect(door.said('c#2')).toBe('admitted')
    expect(door.said('z#1')).toMatch(/^queued/)
  })

  test('shares with those above its parent as well', () => {
    const door = above()
      .ask('c#1', { locks: ['x'], parent: 'p#1' })
      .ask('d#1', { locks: ['x'], parent: 'c#1' })
    expect(door.inside).toEqual(['p#1', 'c#1', 'd#1'])
  })
})

describe('a slot that is given away at a gate', () => {
  const held = () => new Door().ask('a#1', { maxConcurrent: 1, locks: ['x'] }).ask('a#2', { maxConcurrent: 1 })

  test('goes to the next, and is asked for again before those that have not begun', () => {
    const door = held().tell({ kind: 'yield', runId: 'a#1', turn: 1 })
    expect(door.said('a#2')).toBe('admitted')
    door.ask('a#3', { maxConcurrent: 1 }).ask('a#1', { maxConcurrent: 1, turn: 2, begun: true, force: true })
    expect(door.said('a#1')).toBe('queued: SOP "a" runs 1 of at most 1 at once')
    door.release('a#2')
    expect([door.said('a#1'), door.said('a#3')]).toEqual(['admitted', 'queued: SOP "a" runs 1 of at most 1 at once'])
  })

  test('leaves the locks with the run', () => {
    const door = held()
      .tell({ kind: 'yield', runId: 'a#1', turn: 1 })
      .ask('b#1', { locks: ['x'] })
    expect(door.said('b#1')).toBe('queued: run "a#1" holds lock "x"')
    door.ask('a#1', { turn: 2, begun: true, locks: ['x'] })
    expect(door.said('a#1')).toBe('admitted')
    expect(door.state.holders.find(({ runId }) => runId === 'a#1')).toMatchObject({ locks: ['x'], turn: 2 })
  })

  test('is not given away by a message that the next request overtook', () => {
    const door = held()
      .ask('a#1', { maxConcurrent: 1, turn: 2, begun: true })
      .tell({ kind: 'yield', runId: 'a#1', turn: 1 })
    expect(door.inside).toEqual(['a#1'])
    expect(door.said('a#2')).toBe('queued: SOP "a" runs 1 of at most 1 at once')
  })
})

describe('admission = "coalesce"', () => {
  const coalesce = { admission: 'coalesce', maxConcurrent: 1 }

  test('the newest of those that wait replaces the older ones, which are told of it', () => {
    const door = new Door().ask('a#1', coalesce).ask('a#2', coalesce)
    door.nowMs += 1000
    door.ask('a#3', coalesce)
    expect(door.said('a#2')).toBe('refused: the newer run "a#3" takes its place')
    expect(door.answers.findLast(({ runId }) => runId === 'a#2')?.verdict).toMatchObject({ replacedBy: 'a#3' })
    expect(door.state.waiting.map(({ runId }) => runId)).toEqual(['a#3'])
    expect(door.release('a#1').said('a#3')).toBe('admitted')
  })

  test('goes by the time of the trigger, not by who was quicker', () => {
    const door = new Door().ask('a#1', coalesce).ask('a#3', { ...coalesce, triggeredAt: iso(START + 2000) })
    door.ask('a#2', { ...coalesce, triggeredAt: iso(START + 1000) })
    expect(door.said('a#2')).toBe('refused: the newer run "a#3" takes its place')
    expect(door.said('a#3')).toMatch(/^queued/)
  })

  test('leaves a run alone that began and waits for its slot again, and those of other SOPs', () => {
    const door = new Door().ask('a#1', coalesce).ask('a#2', coalesce).tell({ kind: 'yield', runId: 'a#1', turn: 1 })
    door
      .ask('a#1', { ...coalesce, turn: 2, begun: true })
      .ask('b#1', coalesce)
      .ask('b#2', coalesce)
    door.ask('a#3', coalesce)
    expect(door.state.waiting.map(({ runId }) => runId)).toEqual(['a#1', 'b#2', 'a#3'])
  })

  test('in a cooldown the newest waits for its end instead of being refused, and counts from there', () => {
    const cooling = { admission: 'coalesce', cooldownMs: HOUR }
    const door = new Door().ask('a#1', cooling)
    door.nowMs += 60_000
    door.ask('a#2', { ...cooling, phase: 'arrival' }).ask('a#2', cooling)
    door.nowMs += 60_000
    door.ask('a#3', { ...cooling, phase: 'arrival' }).ask('a#3', cooling)
    expect(door.said('a#2')).toBe('refused: the newer run "a#3" takes its place')
    expect(door.wakeAt).toBe(iso(START + HOUR))
    door.wait(HOUR)
    expect(door.said('a#3')).toBe('admitted')
    door.ask('a#4', cooling)
    expect(door.said('a#4')).toBe(`queued: SOP "a" cools down until ${iso(START + 2 * HOUR)}`)
  })
})

describe('limits', () => {
  test('slots go by priority, then by arrival; a full SOP does not hold up the others', () => {
    const one = { maxConcurrent: 1 }
    const door = new Door()
      .ask('a#1', one)
      .ask('a#2', one)
      .ask('a#3', { ...one, priority: 1 })
      .ask('b#1', one)
    expect(door.inside).toEqual(['a#1', 'b#1'])
    expect(door.release('a#1').inside).toEqual(['b#1', 'a#3'])
    expect(door.release('a#3').inside).toEqual(['b#1', 'a#2'])
  })

  test('a run that is a step of another does not count against the limit for all', () => {
    const door = new Door().ask('a#1', { maxTotal: 1 }).ask('c#1', { parent: 'a#1', maxConcurrent: 1 })
    expect(door.inside).toEqual(['a#1', 'c#1'])
    expect(door.release('a#1').ask('b#1', { maxTotal: 1 }).said('b#1')).toBe('admitted')
  })

  test('a run waits until its blackout is over, and keeps nothing from the others meanwhile', () => {
    const until = iso(START + HOUR)
    const door = new Door().ask('a#1', { locks: ['x'], notBefore: until, because: 'blackout "08:00-09:00"' })
    expect(door.said('a#1')).toBe(`queued: blackout "08:00-09:00" lasts until ${until}`)
    expect(door.wakeAt).toBe(until)
    expect(door.ask('b#1', { locks: ['x'] }).said('b#1')).toBe('admitted')
    expect(door.release('b#1').wait(HOUR).said('a#1')).toBe('admitted')
  })

  test('a run that was let in when a blackout had begun gives all back and waits', () => {
    const door = new Door().ask('a#1', { maxConcurrent: 1, locks: ['x'] }).ask('a#2', { maxConcurrent: 1 })
    door.ask('a#1', { maxConcurrent: 1, locks: ['x'], turn: 2, notBefore: iso(START + HOUR) })
    expect(door.inside).toEqual(['a#2'])
    expect(door.said('a#1')).toMatch(/^queued/)
  })

  test('past its room the queue takes no more', () => {
    const waiting = Array.from({ length: 4000 }, (_, index) => ({
      runId: `a#${index + 2}`,
      sop: 'a',
      phase: 'slot' as const,
      triggeredAt: iso(START),
      priority: 3,
      cooldownMs: 0,
      maxConcurrent: 1,
      admission: 'queue',
      order: index + 1,
    }))
    const door = new Door({ ...EMPTY_ADMISSION, holders: [{ runId: 'a#1', sop: 'a' }], waiting, nextOrder: 4001 })
    expect(door.ask('b#1', { maxConcurrent: 1 }).said('b#1')).toBe(
      'refused: 4000 runs wait already, and no more than that may',
    )
  })
})

describe('orders of people', () => {
  const one = { maxConcurrent: 1 }
  const full = () =>
    new Door()
      .ask('a#1', one)
      .ask('a#2', one)
      .ask('a#3', one)
      .ask('a#4', { ...one, priority: 5 })
  const queue = (door: Door) => queueOf(door.state, iso(door.nowMs)).waiting.map(({ runId }) => runId)

  test.each([
    [{ to: 'front' as const }, 'a#4', ['a#4', 'a#2', 'a#3'], 1],
    [{ to: 'before' as const, before: 'a#3' }, 'a#4', ['a#2', 'a#4', 'a#3'], 2],
    [{ to: 'before' as const, before: 'a#2' }, 'a#3', ['a#3', 'a#2', 'a#4'], 1],
    [{ to: 'priority' as const, priority: 5 }, 'a#2', ['a#3', 'a#2', 'a#4'], 2],
  ])('move %j', (place, runId, order, position) => {
    const door = full()
    expect(door.order(runId, { action: 'move', place })).toEqual({ accepted: true, runId, position })
    expect(queue(door)).toEqual(order)
    expect(door.said(runId)).toBe(`queued: moved to place ${position} of the queue`)
  })

  test('of two that are moved to the front, the later goes first', () => {
    const door = full()
    door.order('a#3', { action: 'move', place: { to: 'front' } })
    door.order('a#4', { action: 'move', place: { to: 'front' } })
    expect(queue(door)).toEqual(['a#4', 'a#3', 'a#2'])
  })

  test.each([
    [{ to: 'before' as const, before: 'z#1' }, 'run "z#1" does not wait for admission'],
    [{ to: 'priority' as const, priority: 9 }, 'a priority is a whole number from 1 (critical) to 5 (low)'],
  ])('move %j is refused', (place, reason) =>
    expect(full().order('a#2', { action: 'move', place })).toEqual({
      accepted: false,
      runId: 'a#2',
      code: 'invalid',
      reason,
    }),
  )

  test('drop takes it out of the queue for good', () => {
    const door = full()
    expect(door.order('a#2', { action: 'drop', reason: 'not tonight' }).accepted).toBe(true)
    expect(door.said('a#2')).toBe('refused: dropped from the queue')
    expect(door.release('a#1').inside).toEqual(['a#3'])
  })

  test('admit lets it in over the limit, the cooldown and the blackout', () => {
    const door = full()
    expect(door.order('a#4', { action: 'admit' }).accepted).toBe(true)
    expect(door.inside).toEqual(['a#1', 'a#4'])
    door.ask('b#1', { notBefore: iso(START + HOUR) })
    door.order('b#1', { action: 'admit' })
    expect(door.said('b#1')).toBe('admitted')
  })

  test('admit never passes a held lock', () => {
    const door = new Door().ask('a#1', { locks: ['x'] }).ask('b#1', { locks: ['x'] })
    expect(door.order('b#1', { action: 'admit' })).toMatchObject({ accepted: false, code: 'conflict' })
    expect(door.inside).toEqual(['a#1'])
  })

  test('one that does not wait is refused, and so is one that was let in', () => {
    expect(full().order('z#1', { action: 'drop' })).toMatchObject({ accepted: false, code: 'not_found' })
    expect(full().order('a#1', { action: 'drop' })).toMatchObject({ accepted: false, code: 'conflict' })
  })

  test('a run that began is cancelled, not dropped', () => {
    const door = full().tell({ kind: 'yield', runId: 'a#1', turn: 1 })
    door.ask('a#1', { ...one, turn: 2, begun: true })
    expect(door.order('a#1', { action: 'drop' })).toMatchObject({ accepted: false, code: 'conflict' })
  })
})

test('queueOf() says of each what it waits for, and who has it', () => {
  const door = new Door()
    .ask('a#1', { maxConcurrent: 1, locks: ['x'] })
    .ask('a#2', { maxConcurrent: 1, locks: ['x'], notBefore: iso(START + HOUR), because: 'blackout "x"' })
  expect(queueOf(door.state, iso(START))).toEqual({
    holders: [{ runId: 'a#1', sop: 'a', locks: ['x'], slot: true, since: iso(START) }],
    waiting: [
      {
        position: 1,
        runId: 'a#2',
        sop: 'a',
        priority: 3,
        since: iso(START),
        waitsFor: [
          { kind: 'blackout', text: `blackout "x" lasts until ${iso(START + HOUR)}`, until: iso(START + HOUR) },
          { kind: 'slot', text: 'SOP "a" runs 1 of at most 1 at once', by: ['a#1'] },
          { kind: 'lock', text: 'run "a#1" holds lock "x"', by: ['a#1'], lock: 'x' },
        ],
      },
    ],
  })
})

test('what older builds carried over is read: holders and waiting without the newer keys', () => {
  const old = {
    runId: 'a#2',
    sop: 'a',
    phase: 'slot' as const,
    triggeredAt: iso(START),
    priority: 3,
    cooldownMs: 0,
    maxConcurrent: 1,
    admission: 'coalesce',
    order: 7,
  }
  const state = { holders: [{ runId: 'a#1', sop: 'a' }], waiting: [old], lastTriggeredAt: {}, nextOrder: 8 }
  const door = new Door(state).ask('a#3', { maxConcurrent: 1, admission: 'coalesce' })
  expect(door.said('a#2')).toBeUndefined()
  door.release('a#1')
  expect(door.said('a#2')).toBe('admitted')
  expect(door.state.holders).toEqual([{ runId: 'a#2', sop: 'a' }])
})

test.each([
  undefined,
  null,
  'x',
  { runId: 1 },
  { runId: 'a', action: 'burn' },
  { runId: 'a', action: 'move', place: null },
  { runId: 'a', action: 'move', place: { to: 'back' } },
  { runId: 'a', action: 'move', place: { to: 'before' } },
])('%j is no command', (value) => expect(isQueueCommand(value as never)).toBe(false))

test.each([null, {}, { locks: 'x' }, { locks: [1] }, { notBefore: 'soon' }, { turn: '1' }])(
  'a request with %j is passed over',
  (odd) => {
    const good = { runId: 'a', sop: 'a', phase: 'slot', priority: 1, cooldownMs: 0, triggeredAt: iso(START) }
    expect(isRequest(good as never)).toBe(true)
    expect(isRequest((odd === null ? null : { ...good, ...odd }) as never)).toBe(
      odd !== null && Object.keys(odd).length === 0,
    )
  },
)
