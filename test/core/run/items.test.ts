import { describe, expect, test } from 'vitest'
import type { Json } from '../../../src/core/definition.ts'
import { commandTask, isCommandWork } from '../../../src/core/run/command-task.ts'
import type { RunEvent } from '../../../src/core/run/event.ts'
import { fold } from '../../../src/core/run/evolve.ts'
import { countItems } from '../../../src/core/run/items.ts'
import { viewOf } from '../../../src/core/run/view.ts'
import { command, sopOf, type SopSketch, type StepSketch } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'
import { processorMs } from '../../support/processor-time.ts'

// items.test.ts: a step that runs once for each item of a list.

const HOUR = 3_600_000

const each = (list: readonly Json[] | string, step: StepSketch = {}, rest: Partial<SopSketch> = {}) =>
  new Play(sopOf({ ...rest, steps: [{ title: 'Patch', forEach: list, ...step }, ...(rest.steps ?? [])] })).start()

const running = (play: Play) => [...play.works.keys()]
const ending = (play: Play) => play.cancelled.filter((id) => play.works.has(id))
const items = (play: Play) => play.run.steps[0]?.items
const states = (play: Play) => items(play)?.runs.map(({ state }) => state)
const same = (play: Play) =>
  expect(fold(play.seed, JSON.parse(JSON.stringify(play.events)) as RunEvent[])).toEqual(play.run)

describe('for_each', () => {
  test('runs once for each item, five at a time unless it says otherwise, in order', () => {
    const play = each(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
    expect(running(play)).toEqual(['step:1[1]#1', 'step:1[2]#1', 'step:1[3]#1', 'step:1[4]#1', 'step:1[5]#1'])
    play.ends(ok(), 'step:1[3]#1')
    expect(running(play)).toContain('step:1[6]#1')
    for (const id of [1, 2, 4, 5, 6, 7]) play.ends(ok(), `step:1[${id}]#1`)
    expect(play.state).toBe('completed')
    same(play)
  })

  test('max_parallel is the most items at once', () => {
    const play = each(['a', 'b', 'c'], { maxParallel: 1 })
    expect(running(play)).toEqual(['step:1[1]#1'])
    play.ends(ok())
    expect(running(play)).toEqual(['step:1[2]#1'])
  })

  test('its items count for the max_parallel of the SOP', () => {
    const play = each(['a', 'b', 'c'], {}, { maxParallel: 2, steps: [{ needs: [] }] })
    expect(running(play)).toEqual(['step:1[1]#1', 'step:1[2]#1'])
    play.ends(ok()).ends(ok())
    expect(running(play)).toEqual(['step:1[3]#1', 'step:2#1'])
  })

  test('the command gets its item', () => {
    const play = each([{ host: 'web1' }, 'web2'])
    const tasks = [...play.works.values()].filter(isCommandWork).map((work) => commandTask(play.run, work, []))
    expect(tasks.map(({ item, executableId }) => [item, executableId])).toEqual([
      [{ number: 1, value: { host: 'web1' } }, 'step:1'],
      [{ number: 2, value: 'web2' }, 'step:1'],
    ])
  })

  test('outputs of the items become lists in the order of the items, with null where one set nothing', () => {
    const play = each(['a', 'b', 'c'], {}, { steps: [{ if: 'size(version) == 3' }] })
    play.ends(ok({ outputs: { version: '2' } }), 'step:1[2]#1')
    expect(play.run.outputs).toEqual({})
    play.ends(ok({ outputs: { version: '1', note: 'x' } }), 'step:1[1]#1').ends(ok(), 'step:1[3]#1')
    expect(play.run.outputs).toEqual({ version: ['1', '2', null], note: ['x', null, null] })
    expect(running(play)).toEqual(['step:2#1'])
  })

  test('outputs of all items together have a limit, and the item that goes past it fails', () => {
    const play = each(['a', 'b'], { onFailure: { kind: 'continue' } })
    const large = 'x'.repeat(150 * 1024)
    play.ends(ok({ outputs: { text: large } })).ends(ok({ outputs: { text: large } }))
    expect(states(play)).toEqual(['success', 'failed'])
    expect(items(play)?.runs[1]?.error).toBe(
      'the outputs of all items together are larger than 262144 bytes: hand large values on as files',
    )
  })

  test('each item is verified by itself, and sees what it set', () => {
    const play = each(['a', 'b'], { verify: [command('true')] })
    play.ends(ok({ outputs: { version: '1' } }), 'step:1[1]#1')
    expect(running(play)).toEqual(['step:1[2]#1', 'verify:1[1]#1'])
    const work = play.works.get('verify:1[1]#1')
    expect(work && isCommandWork(work) && commandTask(play.run, work, [])).toMatchObject({
      item: { number: 1, value: 'a' },
      outputs: { version: '1' },
    })
    play.ends(ok(), 'verify:1[1]#1')
    expect(states(play)).toEqual(['success', 'running'])
    play.ends(ok(), 'step:1[2]#1').ends(failed(), 'verify:1[2]#1')
    expect(play.closedAs).toBe('failed')
  })

  test('an item of which somebody says that it ran is verified, before it counts as done', () => {
    const play = each(['a', 'b'], { verify: [command('true')] })
    play.ends({ outcome: 'lost', error: 'gone' }, 'step:1[1]#1').ends(ok(), 'step:1[2]#1')
    play.ends(ok(), 'verify:1[2]#1')
    play.decide('complete', { step: 1, item: 1, values: { version: '1' } })
    expect(running(play)).toEqual(['verify:1[1]#1'])
    expect(play.state).toBe('running')
    same(play)
    play.ends(ok(), 'verify:1[1]#1')
    expect(play.state).toBe('completed')
    expect(play.run.outputs).toEqual({ version: ['1', null] })
    same(play)
  })

  test('its condition and its gate are asked once, for the step', () => {
    const play = each(['a', 'b'], { requiresApproval: true })
    expect(play.state).toBe('awaiting_approval')
    play.decide('approve')
    expect(running(play)).toEqual(['step:1[1]#1', 'step:1[2]#1'])
    expect(each(['a'], { if: 'no_such_name' }).state).toBe('completed')
  })
})

describe('the list of a for_each', () => {
  const listOf = (forEach: string, params: Record<string, Json>) =>
    new Play(sopOf({ steps: [{ forEach }] }), { params }).start()

  test.each<[string, string, Record<string, Json>, readonly Json[]]>([
    ['lines of a text', 'hosts', { hosts: 'web1\n web 2 \n\n' }, ['web1', 'web 2']],
    ['a text with commas', 'hosts', { hosts: 'New York, Paris' }, ['New York', 'Paris']],
    ['a text with blanks', 'hosts', { hosts: ' web1  web2 ' }, ['web1', 'web2']],
    ['JSON', 'hosts', { hosts: '[{"name":"web1"},2]' }, [{ name: 'web1' }, 2]],
    ['a list', 'hosts', { hosts: ['web1', 'web2'] }, ['web1', 'web2']],
    ['$name', '$hosts', { hosts: 'a b' }, ['a', 'b']],
    ['{{name}}', '{{ hosts }}', { hosts: 'a b' }, ['a', 'b']],
    ['params.name', 'params.hosts', { hosts: 'a' }, ['a']],
    ['an expression', 'hosts.filter(h, h != "b")', { hosts: ['a', 'b', 'c'] }, ['a', 'c']],
    ['numbers of an expression', '[1, 2].map(n, n * 2)', {}, [2, 4]],
  ])('may be %s', (_, forEach, params, expected) => {
    expect(listOf(forEach, params).run.steps[0]?.items?.list).toEqual(expected)
  })

  test('may be an output of an earlier step', () => {
    const play = new Play(sopOf({ steps: [{ title: 'Find' }, { forEach: 'steps.find.outputs.hosts' }] })).start()
    play.ends(ok({ outputs: { hosts: '["a","b"]' } }))
    expect(play.run.steps[1]?.items?.list).toEqual(['a', 'b'])
  })

  test.each([{ hosts: '' }, { hosts: ' \n' }, { hosts: [] }])(
    'that is empty skips the step with the reason: %j',
    (params) => {
      const play = listOf('hosts', params)
      expect(play.state).toBe('completed')
      expect(play.last('step_skipped').details.reason).toBe('for_each "hosts" is an empty list')
    },
  )

  test.each<[Record<string, Json>, string]>([
    [{}, 'nothing sets "hosts"'],
    [{ hosts: 5 }, 'it is a number, not a list'],
    [{ hosts: { a: 1 } }, 'it is a table, not a list'],
    [
      { hosts: Array.from({ length: 1001 }, (_, n) => n) },
      'it has 1001 items, and at most 1000 are possible: divide it into several steps',
    ],
  ])('that is none waits for a person: %j', (params, reason) => {
    const play = listOf('hosts', params)
    expect(play.run.paused).toMatchObject({
      kind: 'condition',
      stepNumber: 1,
      reason: `Cannot run step 1 "Step 1" for each "hosts": ${reason}`,
    })
    expect(play.decide('skip', { step: 1 })).toMatchObject({ accepted: true, status: 'completed' })
  })
})

describe('the failure of an item', () => {
  const three = (step: StepSketch) => each(['a', 'b', 'c', 'd'], { maxParallel: 2, ...step })

  test('pause: items that run go on, no other begins, and a retry is about the failed ones only', () => {
    const play = three({ onFailure: { kind: 'pause' } })
    play.ends(failed(), 'step:1[1]#1')
    expect(play.state).toBe('paused')
    expect(play.run.paused?.reason).toBe('item 1 (a) of step 1 "Patch" failed: exit code 1')
    expect(ending(play)).toEqual([])
    play.ends(ok(), 'step:1[2]#1')
    expect(running(play)).toEqual([])
    expect(play.decide('retry')).toMatchObject({ accepted: true, stepNumber: 1, status: 'running' })
    expect(running(play)).toEqual(['step:1[1]#2', 'step:1[3]#1'])
    for (const id of ['step:1[1]#2', 'step:1[3]#1', 'step:1[4]#1']) play.ends(ok(), id)
    expect(play.state).toBe('completed')
    expect(play.events.filter((event) => event.eventType === 'step_started' && event.details.item === 2)).toHaveLength(
      1,
    )
    same(play)
  })

  test('pause: one item alone can be tried again', () => {
    const play = three({ onFailure: { kind: 'pause' } })
    play.ends(failed(), 'step:1[1]#1').ends(failed(), 'step:1[2]#1')
    expect(play.decide('retry', { item: 2 })).toMatchObject({ accepted: true, stepNumber: 1 })
    // The other one still waits for a person, so nothing begins besides.
    expect(play.run.paused?.reason).toContain('item 1 (a)')
    expect(play.run.steps[0]?.items?.runs.map(({ state }) => state)).toEqual(['failed', 'pending'])
    play.decide('skip', { item: 1 })
    expect(running(play)).toEqual(['step:1[2]#2', 'step:1[3]#1'])
    same(play)
  })

  test.each([
    [5, 'invalid', 'step 1 has no item 5; it has 4'],
    [0, 'invalid', 'step 1 has no item 0; it has 4'],
    [2, 'conflict', 'item 2 of step 1 is not to be tried again: it is success'],
    [3, 'conflict', 'item 3 of step 1 is not to be tried again: it is pending'],
  ] as const)('a retry of item %i is refused as %s', (item, code, reason) => {
    const play = three({ onFailure: { kind: 'pause' } })
    play.ends(failed(), 'step:1[1]#1').ends(ok(), 'step:1[2]#1')
    expect(play.decide('retry', { item })).toMatchObject({ accepted: false, code, reason })
    expect(running(play)).toEqual([])
  })

  test('a retry of an item is refused where the run is not paused for items', () => {
    const play = new Play(sopOf({ steps: [{ onFailure: { kind: 'pause' } }] })).start().ends(failed())
    expect(play.decide('retry', { item: 1 })).toMatchObject({ accepted: false, code: 'invalid' })
  })

  test('pause: one item can be skipped, and the others go on', () => {
    const play = three({ onFailure: { kind: 'pause' } })
    play.ends(failed(), 'step:1[1]#1').ends(failed(), 'step:1[2]#1')
    expect(play.decide('skip', { step: 1, item: 1 })).toMatchObject({ accepted: true, status: 'paused' })
    expect(play.decide('skip', { step: 1, item: 2, reason: 'gone' })).toMatchObject({
      accepted: true,
      status: 'running',
    })
    play.ends(ok()).ends(ok())
    expect(play.state).toBe('completed')
    expect(countItems(items(play) as never)).toMatchObject({ skipped: 2, success: 2 })
    same(play)
  })

  test('pause: the step as a whole can be skipped once nothing of it runs', () => {
    const play = three({ onFailure: { kind: 'pause' } })
    play.ends(failed(), 'step:1[1]#1')
    expect(play.decide('skip', { step: 1 })).toMatchObject({ accepted: false })
    play.ends(ok(), 'step:1[2]#1')
    expect(play.decide('skip', { step: 1 })).toMatchObject({ accepted: true, status: 'completed' })
  })

  test('fail: the others are ended, the step fails, then the run', () => {
    const play = three({ onFailure: { kind: 'fail' } })
    play.ends(failed(), 'step:1[2]#1')
    expect(ending(play)).toEqual(['step:1[1]#1'])
    play.ends(failed({ outcome: 'cancelled', error: 'cancelled' }), 'step:1[1]#1')
    expect(play.closedAs).toBe('failed')
    expect(play.types.slice(-2)).toEqual(['step_failed', 'run_failed'])
    expect(play.last('run_failed').details.reason).toBe('item 2 (b) of step 1 "Patch" failed: exit code 1')
    expect(play.run.steps[0]).toMatchObject({ state: 'failed' })
    same(play)
  })

  test('continue: all others are done, and the step has failed in the end', () => {
    const play = three({ onFailure: { kind: 'continue' } })
    play.ends(failed(), 'step:1[2]#1')
    for (const item of [1, 3, 4]) play.ends(ok({ outputs: { v: item } }), `step:1[${item}]#1`)
    expect(play.last('step_failed').details).toMatchObject({
      error: '1 of 4 items failed: 2 (b)',
      then: 'continue',
      outputs: { v: [1, null, 3, 4] },
    })
    expect(play.state).toBe('completed')
    same(play)
  })

  test('retry: each item has its own tries and its own timer', () => {
    const play = three({ onFailure: { kind: 'retry', times: 1 }, retryDelayMs: HOUR })
    play.ends(failed(), 'step:1[1]#1').ends(failed(), 'step:1[2]#1')
    expect([...play.timers.keys()]).toEqual(['retry:1[1]#1', 'retry:1[2]#1'])
    expect(running(play)).toEqual([])
    play.wait(HOUR)
    expect(running(play)).toEqual(['step:1[1]#2', 'step:1[2]#2'])
    play.ends(failed(), 'step:1[1]#2')
    expect(play.run.ending).toMatchObject({ state: 'failed' })
  })

  test('goto: items that run go on, then the step is left', () => {
    const play = new Play(
      sopOf({
        steps: [
          { title: 'Find' },
          { title: 'Patch', forEach: ['a', 'b', 'c'], maxParallel: 2, onFailure: { kind: 'goto', step: 1 } },
        ],
      }),
    ).start()
    play.ends(ok()).ends(failed(), 'step:2[1]#1')
    expect(running(play)).toEqual(['step:2[2]#1'])
    play.ends(ok())
    expect(running(play)).toEqual(['step:1#2'])
    play.ends(ok())
    // No execution has the name of an earlier one.
    expect(running(play)).toEqual(['step:2[1]#2', 'step:2[2]#2'])
    same(play)
  })

  test('goto forward: what is passed over is on record', () => {
    const play = new Play(
      sopOf({ steps: [{ forEach: ['a'], onFailure: { kind: 'goto', step: 3 } }, { title: 'Over' }, {}] }),
    ).start()
    play.ends(failed())
    expect(play.last('step_skipped')).toMatchObject({ stepNumber: 2, details: { title: 'Over' } })
    expect(running(play)).toEqual(['step:3#1'])
    same(play)
  })

  test('lost: an idempotent item begins again by itself, another waits for a person', () => {
    const again = three({ idempotent: true })
    again.ends({ outcome: 'lost', error: 'gone' }, 'step:1[1]#1')
    expect(running(again)).toContain('step:1[1]#2')
    const play = three({})
    play.ends({ outcome: 'lost', error: 'gone' }, 'step:1[1]#1').ends({ outcome: 'lost', error: 'gone' }, 'step:1[2]#1')
    expect(play.run.paused).toMatchObject({ kind: 'unknown', stepNumber: 1 })
    expect(play.decide('complete', { step: 1 })).toMatchObject({
      accepted: false,
      reason: 'several items of step 1 are unknown: 1, 2; name one',
    })
    expect(play.decide('complete', { step: 1, item: 1, values: { v: 'x' } })).toMatchObject({
      accepted: true,
      status: 'paused',
    })
    expect(play.decide('retry')).toMatchObject({ accepted: true, status: 'running' })
    expect(running(play)).toEqual(['step:1[2]#2', 'step:1[3]#1'])
    for (const id of ['step:1[2]#2', 'step:1[3]#1', 'step:1[4]#1']) play.ends(ok(), id)
    expect(play).toMatchObject({ state: 'completed' })
    expect(play.run.outputs).toEqual({ v: ['x', null, null, null] })
    same(play)
  })

  test('a retry after a failure leaves an unknown item to a person', () => {
    const play = three({ onFailure: { kind: 'pause' } })
    play.ends(failed(), 'step:1[1]#1').ends({ outcome: 'lost', error: 'gone' }, 'step:1[2]#1')
    play.decide('retry')
    expect(play.run.paused).toMatchObject({ kind: 'unknown' })
    expect(states(play)).toEqual(['pending', 'unknown'])
  })
})

describe('run control with items', () => {
  test('pause takes effect before the next item, and resume goes on with it', () => {
    const play = each(['a', 'b', 'c'], { maxParallel: 1 })
    play.decide('pause')
    play.ends(ok())
    expect(play.state).toBe('paused')
    expect(running(play)).toEqual([])
    play.decide('resume')
    expect(running(play)).toEqual(['step:1[2]#1'])
  })

  test('cancel ends all items that run, and tells the step as ended', () => {
    const play = each(['a', 'b', 'c'], { maxParallel: 2 })
    play.decide('cancel', { reason: 'enough' })
    expect(ending(play)).toEqual(['step:1[1]#1', 'step:1[2]#1'])
    play.ends(failed({ outcome: 'cancelled', error: 'ended' })).ends(failed({ outcome: 'cancelled', error: 'ended' }))
    expect(play.closedAs).toBe('cancelled')
    expect(play.last('step_failed').details).toMatchObject({ outcome: 'cancelled', error: 'enough' })
    same(play)
  })

  test('a thousand items take no time, and the view of them is small', () => {
    const play = each(
      Array.from({ length: 1000 }, (_, n) => `host-${n}`),
      { maxParallel: 50 },
    )
    const took = processorMs(() => {
      while (play.works.size > 0) play.ends(ok({ outputs: { ok: true } }))
    })
    expect(play.state).toBe('completed')
    expect(play.run.outputs['ok']).toHaveLength(1000)
    expect(JSON.stringify(viewOf(play.run).stepResults).length).toBeLessThan(20_000)
    expect(took).toBeLessThan(4_000)
  })
})
