import { describe, expect, test } from 'vitest'
import { commandTask } from '../../../src/core/run/command-task.ts'
import { endedOutside } from '../../../src/core/run/ended-outside.ts'
import { evolve, fold } from '../../../src/core/run/evolve.ts'
import { applyToSummary, summaryOfState } from '../../../src/core/run/summary.ts'
import type { SummaryState } from '../../../src/core/run/summary-state.ts'
import { viewOf } from '../../../src/core/run/view.ts'
import { command, sopOf, type SopSketch, type StepSketch } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

// rollback-items.test.ts: the walk back through the items of a `for_each` step.

const LOST = { outcome: 'lost', error: 'its worker died' } as const
const BACK = { onFailure: { kind: 'rollback' } } satisfies StepSketch
const each = { forEach: ['a', 'b', 'c'], maxParallel: 3, rollback: [command('undo')] } satisfies StepSketch

const start = (steps: readonly StepSketch[], sop: Partial<SopSketch> = {}) => new Play(sopOf({ ...sop, steps })).start()
/** The record tells the same run, and a list of runs says of it what its view says. */
const isFolded = (play: Play) => {
  expect(play.run).toEqual(fold(play.seed, play.events))
  const state = play.events.reduce<SummaryState | undefined>(applyToSummary, undefined)
  const { status, currentStep } = viewOf(play.run)
  expect(state && summaryOfState(state)).toMatchObject({ status, currentStep })
}
const works = (play: Play) => [...play.works.keys()]
const states = (play: Play) => play.run.steps.map((step) => step.state)
const items = (play: Play, step = 0) => play.run.steps[step]?.items?.runs.map(({ state }) => state)

/** The three items of the step before it are done, each with its own output; then a step fails. */
const walking = (own: StepSketch = {}) => {
  const play = start([{ ...each, ...own }, BACK])
  for (const item of [2, 1, 3]) play.ends(ok({ outputs: { id: `id-${item}` } }), `step:1[${item}]#1`)
  return play.ends(failed())
}

describe('rollback of a for_each step', () => {
  test('undoes its items one by one, the last one first, and then the step is rolled back', () => {
    const play = start([{ rollback: [command('u')] }, { ...each }, BACK]).ends(ok())
    for (const item of [1, 2, 3]) play.ends(ok(), `step:2[${item}]#1`)
    play.ends(failed())
    expect(play.last('rollback_started').details.steps).toEqual([2, 1])
    for (const item of [3, 2, 1]) {
      expect(works(play)).toEqual([`rollback:2[${item}]#1`])
      play.ends(ok({ durationMs: 1000, output: `undone ${item}` }))
    }
    expect(works(play)).toEqual(['rollback:1#1'])
    const undone = play.events.filter(({ eventType }) => eventType === 'step_rolled_back')
    expect(undone.map(({ stepNumber, details }) => [stepNumber, details])).toMatchObject([
      [2, { item: 3, attempt: 1, output: 'undone 3' }],
      [2, { item: 2 }],
      [2, { item: 1 }],
      [2, { attempt: 1, items: 3, duration_ms: 3000 }],
    ])
    expect(undone[3]?.details).not.toHaveProperty('item')
    play.ends(ok())
    expect(states(play)).toEqual(['rolled_back', 'rolled_back', 'failed'])
    expect(viewOf(play.run).stepResults[1]?.items).toMatchObject({ total: 3, success: 0, rolled_back: 3 })
    expect(play.state).toBe('failed')
    isFolded(play)
  })

  test('gives each undo the item and what it had handed on', () => {
    const play = walking()
    const [work] = [...play.works.values()]
    if (work?.kind !== 'rollback') throw new Error('no undo')
    expect(commandTask(play.run, work, [])).toMatchObject({
      executableId: 'rollback:1',
      item: { number: 3, value: 'c' },
      outputs: { id: 'id-3' },
    })
  })

  test('undoes an item whose check passes after something else walked back', () => {
    const play = start([
      { ...each, verify: [command('v')], needs: [] },
      { ...BACK, needs: [] },
    ])
    for (const item of [1, 2, 3]) play.ends(ok({ outputs: { id: `id-${item}` } }), `step:1[${item}]#1`)
    play.ends(failed(), 'step:2#1')
    for (const item of [1, 2]) play.ends(ok(), `verify:1[${item}]#1`)
    play.ends(failed(), 'verify:1[3]#1')
    expect(works(play)).toEqual(['rollback:1[3]#1'])
    play.ends(ok()).ends(ok()).ends(ok())
    expect(items(play)).toEqual(['rolled_back', 'rolled_back', 'rolled_back'])
    expect(states(play)).toEqual(['rolled_back', 'failed'])
    isFolded(play)
  })

  test('undoes what is finished of a step that failed in its midst, and items whose verification failed', () => {
    const play = start([{ ...each, ...BACK, verify: [command('v')] }])
    play.ends(ok({ outputs: { id: 'x' } }), 'step:1[1]#1').ends(ok(), 'verify:1[1]#1')
    play.ends(ok({ outputs: { id: 'y' } }), 'step:1[2]#1').ends(failed(), 'verify:1[2]#1')
    // The third goes on to its end, so that it is undone like the rest.
    expect(works(play)).toEqual(['step:1[3]#1'])
    play.ends(failed(), 'step:1[3]#1')
    expect(works(play)).toEqual(['rollback:1[2]#1'])
    const [work] = [...play.works.values()]
    expect(work?.kind === 'rollback' && commandTask(play.run, work, []).outputs).toEqual({ id: 'y' })
    play.ends(ok())
    expect(works(play)).toEqual(['rollback:1[1]#1'])
    play.ends(ok())
    expect(items(play)).toEqual(['rolled_back', 'rolled_back', 'failed'])
    isFolded(play)
  })

  test('leaves a step of which no item is finished', () => {
    const play = start([{ ...each, ...BACK, maxParallel: 1 }]).ends(failed())
    expect(play.types).not.toContain('rollback_started')
    expect(play.state).toBe('failed')
  })

  test.each([
    ['retry', ['rollback:1[2]#2'], ['rolled_back', 'rolled_back', 'rolled_back']],
    ['skip', ['rollback:1[1]#1'], ['rolled_back', 'success', 'rolled_back']],
  ] as const)('stops at an undo that fails, and after %s goes on', (kind, next, end) => {
    const play = walking().ends(ok()).ends(failed())
    expect(play.run.paused).toMatchObject({
      kind: 'rollback',
      stepNumber: 1,
      reason: 'the undo of item 2 (b) of step 1 "Step 1" failed: exit code 1',
    })
    expect(play.decide(kind, { item: 1 })).toMatchObject({ accepted: false, code: 'conflict' })
    expect(play.decide(kind, { item: 2 })).toMatchObject({ accepted: true, stepNumber: 1 })
    expect(works(play)).toEqual(next)
    while (play.works.size > 0) play.ends(ok())
    expect(items(play)).toEqual(end)
    expect(states(play)[0]).toBe('rolled_back')
    expect(play.state).toBe('failed')
    isFolded(play)
  })

  test('does not say that a step is undone of which every item was left', () => {
    const play = walking()
    for (const _ of [3, 2, 1]) {
      play.ends(failed())
      play.decide('skip')
    }
    expect(items(play)).toEqual(['success', 'success', 'success'])
    expect(states(play)).toEqual(['success', 'failed'])
    expect(play.types).not.toContain('step_rolled_back')
    expect(play.state).toBe('failed')
    isFolded(play)
  })

  test('asks of an item of which nobody knows whether it ran', () => {
    const play = start([{ ...each, onFailure: { kind: 'pause' } }])
    play.ends(ok(), 'step:1[1]#1').ends(LOST, 'step:1[2]#1').ends(ok(), 'step:1[3]#1')
    play.decide('cancel', { rollback: true })
    expect(works(play)).toEqual(['rollback:1[3]#1'])
    play.ends(ok())
    expect(play.run.paused).toMatchObject({
      kind: 'rollback',
      reason: expect.stringContaining('nobody knows whether item 2 (b) of step 1 "Step 1" ran'),
    })
    expect(works(play)).toEqual([])
    play.decide('retry')
    expect(works(play)).toEqual(['rollback:1[2]#1'])
    play.ends(ok()).ends(ok())
    expect(items(play)).toEqual(['rolled_back', 'rolled_back', 'rolled_back'])
    expect(play.state).toBe('cancelled')
    isFolded(play)
  })

  test('asks once at a point of no return, for all items together', () => {
    const left = walking({ pointOfNoReturn: true })
    expect(left.run.paused).toMatchObject({ reason: 'step 1 "Step 1" is a point of no return' })
    left.decide('skip')
    expect(items(left)).toEqual(['success', 'success', 'success'])
    const undone = walking({ pointOfNoReturn: true })
    undone.decide('retry')
    expect(works(undone)).toEqual(['rollback:1[3]#1'])
    undone.ends(ok()).ends(ok()).ends(ok())
    expect(items(undone)).toEqual(['rolled_back', 'rolled_back', 'rolled_back'])
    for (const play of [left, undone]) isFolded(play)
  })

  test('is ended by a cancel after the item that is under way', () => {
    const play = walking()
    play.decide('cancel')
    expect(play.state).toBe('running')
    play.ends(ok())
    expect(play.state).toBe('cancelled')
    expect(works(play)).toEqual([])
    expect(items(play)).toEqual(['success', 'success', 'rolled_back'])
    isFolded(play)
  })

  test('pauses between two items', () => {
    const play = walking()
    play.decide('pause')
    play.ends(ok())
    expect(play.run.paused).toMatchObject({ kind: 'requested' })
    expect(works(play)).toEqual([])
    play.decide('resume')
    expect(works(play)).toEqual(['rollback:1[2]#1'])
    isFolded(play)
  })

  test('of an item that was under way when the run was terminated nobody knows, and a retry of the run asks', () => {
    const play = walking().ends(ok())
    for (const event of endedOutside(play.run, { kind: 'terminated', at: new Date(play.nowMs).toISOString() })) {
      play.events.push(event)
      play.run = evolve(play.run, event)
    }
    expect(items(play)).toEqual(['success', 'unknown', 'rolled_back'])
    play.works.clear()
    play.tell({ kind: 'reopen', decision: { kind: 'retry', principal: { id: 'bob', kind: 'user' }, via: 'cli' } })
    expect(play.run.paused).toMatchObject({ kind: 'unknown', stepNumber: 1 })
    expect(items(play)).toEqual(['success', 'unknown', 'pending'])
    isFolded(play)
  })

  test('is followed by a retry that does again what was undone, and leaves what was left', () => {
    const play = walking().ends(ok()).ends(failed())
    play.decide('skip')
    play.ends(ok())
    expect(items(play)).toEqual(['rolled_back', 'success', 'rolled_back'])
    play.tell({ kind: 'reopen', decision: { kind: 'retry', principal: { id: 'bob', kind: 'user' }, via: 'cli' } })
    expect(works(play)).toEqual(['step:1[1]#2', 'step:1[3]#2'])
    play.ends(ok()).ends(ok()).ends(failed())
    // Counted on, so that no undo has the name of another.
    expect(works(play)).toEqual(['rollback:1[3]#2'])
    isFolded(play)
  })

  test.each(['retry', 'skip'] as const)('asks of items of an earlier visit, which it no longer knows (%s)', (kind) => {
    const play = start([{ ...each, maxParallel: 1 }, { onFailure: { kind: 'goto', step: 1 } }])
    play.ends(ok()).ends(ok()).ends(ok()).ends(failed()).ends(ok())
    expect(works(play)).toEqual(['step:1[2]#2'])
    play.decide('cancel', { rollback: true })
    play.ends(failed({ outcome: 'cancelled' }))
    expect(play.run.paused).toMatchObject({
      kind: 'rollback',
      reason: expect.stringContaining('was done before for items that the run no longer knows'),
    })
    expect(works(play)).toEqual([])
    play.decide(kind)
    expect(works(play)).toEqual(kind === 'retry' ? ['rollback:1[1]#1'] : [])
    if (kind === 'retry') play.ends(ok())
    expect(play.state).toBe('cancelled')
    expect(states(play)[0]).toBe(kind === 'retry' ? 'rolled_back' : 'failed')
    isFolded(play)
  })

  test('never runs an undo without an item', () => {
    const play = start([
      { ...each, maxParallel: 1 },
      { requiresApproval: true },
      { onFailure: { kind: 'goto', step: 1 } },
    ])
    play.ends(ok()).ends(ok()).ends(ok())
    play.decide('retry', { step: 1 })
    play.decide('cancel', { rollback: true })
    for (let more = 0; more < 5 && play.run.outcome === undefined; more += 1) {
      if (play.run.paused?.kind === 'rollback') play.decide('retry')
      for (const [id, work] of play.works) {
        expect(work).toHaveProperty('item')
        play.ends(id.startsWith('rollback') ? ok() : failed({ outcome: 'cancelled' }), id)
      }
    }
    expect(play.state).toBe('cancelled')
    isFolded(play)
  })
})
