import { describe, expect, test } from 'vitest'
import type { Decision } from '../../../src/core/run/decision.ts'
import { endedOutside } from '../../../src/core/run/ended-outside.ts'
import { evolve, fold } from '../../../src/core/run/evolve.ts'
import { viewOf } from '../../../src/core/run/view.ts'
import { command, sopOf, type SopSketch, type StepSketch } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

const HOUR = 3_600_000
const undo = { rollback: [command('undo')] } satisfies StepSketch

const start = (steps: readonly StepSketch[], sop: Partial<SopSketch> = {}, seed = {}) =>
  new Play(sopOf({ ...sop, steps }), seed).start()
const reopen = (play: Play, decision: Omit<Decision, 'kind'> = {}) =>
  play.tell({
    kind: 'reopen',
    decision: { principal: { id: 'bob', kind: 'user' }, via: 'cli', ...decision, kind: 'retry' },
  })
const isFolded = (play: Play) => expect(play.run).toEqual(fold(play.seed, play.events))
const states = (play: Play) => play.run.steps.map((step) => step.state)
const works = (play: Play) => [...play.works.keys()]

describe('retry of a failed run', () => {
  const failedAt2 = () =>
    start([{}, {}, {}])
      .ends(ok({ outputs: { a: 1 } }))
      .ends(failed())

  test('goes on with the step that failed, and carries over what is finished', () => {
    const play = failedAt2()
    const { length } = play.events
    expect(reopen(play, { comment: 'fixed', decisionId: 'd1' })).toMatchObject({
      accepted: true,
      action: 'retried',
      stepNumber: 2,
      status: 'running',
    })
    expect(play.events[length]).toMatchObject({
      sequence: length + 1,
      eventType: 'run_retried',
      principal: { id: 'bob' },
      details: { reopens: true, fromStep: 2, again: [2], comment: 'fixed', decisionId: 'd1' },
    })
    expect(works(play)).toEqual(['step:2#2'])
    expect(play.run.outputs).toEqual({ a: 1 })
    expect(viewOf(play.run)).toMatchObject({ status: 'running', currentStep: 2 })
    expect(viewOf(play.run)).not.toHaveProperty('completedAt')
    play.ends(ok()).ends(ok())
    expect(play.state).toBe('completed')
    isFolded(play)
  })

  test('goes back to an earlier step where it says so', () => {
    const play = failedAt2()
    reopen(play, { step: 1 })
    expect(play.last('run_retried').details).toMatchObject({ fromStep: 1, again: [1, 2, 3] })
    expect(works(play)).toEqual(['step:1#2'])
    isFolded(play)
  })

  describe('of a step that had done some of its items', () => {
    const each = { forEach: ['a', 'b', 'c', 'd'], maxParallel: 2, onFailure: { kind: 'fail' } } satisfies StepSketch
    /** The first is done, the second failed, the third was ended with it. */
    const half = (steps: readonly StepSketch[] = [each, {}]) =>
      start(steps)
        .ends(ok({ outputs: { host: 'A' } }), 'step:1[1]#1')
        .ends(failed(), 'step:1[2]#1')
        .ends(failed({ outcome: 'cancelled' }), 'step:1[3]#1')
    const items = (play: Play) => play.run.steps[0]?.items?.runs.map(({ state, attempt }) => `${state} ${attempt}`)

    test.each([{}, { step: 1 }])('does the others, named or not (%o)', (decision) => {
      const play = half()
      expect(play.state).toBe('failed')
      expect(reopen(play, decision)).toMatchObject({ accepted: true, stepNumber: 1 })
      expect(play.last('run_retried').details).toMatchObject({ fromStep: 1, again: [1], keeps: [1] })
      expect(play.events.filter(({ eventType }) => eventType === 'step_started').slice(4)).toMatchObject([
        { details: { attempt: 2, items: ['a', 'b', 'c', 'd'], kept: 1 } },
        { details: { item: 2, attempt: 2, value: 'b' } },
        { details: { item: 3, attempt: 2, value: 'c' } },
      ])
      expect(works(play)).toEqual(['step:1[2]#2', 'step:1[3]#2'])
      play.ends(ok({ outputs: { host: 'B' } })).ends(ok())
      expect(works(play)).toEqual(['step:1[4]#1'])
      play.ends(ok())
      expect(play.run.outputs).toEqual({ host: ['A', 'B', null, null] })
      expect(items(play)).toEqual(['success 1', 'success 2', 'success 2', 'success 1'])
      play.ends(ok())
      expect(play.state).toBe('completed')
      isFolded(play)
    })

    test('keeps what was passed over, and goes on again and again', () => {
      const play = start([{ ...each, maxParallel: 1, onFailure: { kind: 'pause' } }]).ends(failed())
      play.decide('skip', { step: 1, item: 1 })
      play.ends(ok())
      play.decide('cancel')
      play.ends(failed({ outcome: 'cancelled' }))
      expect(items(play)).toEqual(['skipped 1', 'success 1', 'failed 1'])
      for (const attempt of [2, 3]) {
        reopen(play)
        expect(works(play)).toEqual([`step:1[3]#${attempt}`])
        play.decide('cancel')
        play.ends(failed({ outcome: 'cancelled' }))
      }
      isFolded(play)
    })

    test('asks of an item first of which nobody knows whether it ran', () => {
      const play = start([each]).ends(ok()).ends({ outcome: 'lost', error: 'gone' }, 'step:1[2]#1')
      play.ends(ok(), 'step:1[3]#1')
      play.decide('cancel')
      expect(items(play)).toEqual(['success 1', 'unknown 1', 'success 1'])
      reopen(play)
      expect(play.run.paused).toMatchObject({ kind: 'unknown', stepNumber: 1 })
      expect(works(play)).toEqual([])
      expect(play.decide('complete', { item: 2 })).toMatchObject({ accepted: true })
      expect(works(play)).toEqual(['step:1[4]#1'])
      isFolded(play)
    })

    test('asks so of what was under way when it was ended from outside, unless the retry answers', () => {
      const ended = (): Play => {
        const play = start([each]).ends(ok())
        for (const event of endedOutside(play.run, { kind: 'terminated', at: new Date(play.nowMs).toISOString() })) {
          play.events.push(event)
          play.run = evolve(play.run, event)
        }
        play.works.clear()
        return play
      }
      const asking = ended()
      expect(states(asking)).toEqual(['unknown'])
      reopen(asking)
      expect(asking.run.paused).toMatchObject({ kind: 'unknown' })
      expect(items(asking)).toEqual(['success 1', 'unknown 1', 'unknown 1'])
      const answered = ended()
      reopen(answered, { outcome: 'did_not_run' })
      expect(works(answered)).toEqual(['step:1[2]#2', 'step:1[3]#2'])
      for (const play of [asking, answered]) isFolded(play)
    })

    test('does all of them again where an earlier step is named, or what they are done with was rolled back', () => {
      const play = start([{}, { ...each, maxParallel: 1 }])
        .ends(ok())
        .ends(ok())
        .ends(failed())
      reopen(play, { step: 1 })
      expect(play.last('run_retried').details).not.toHaveProperty('keeps')
      play.ends(ok())
      expect(works(play)).toEqual(['step:2[1]#2'])
      isFolded(play)
    })

    test('asks its gate again where params changed, and keeps the items all the same', () => {
      const play = start([{ ...each, requiresApproval: true }])
      play.decide('approve')
      play.ends(ok(), 'step:1[1]#1').ends(failed(), 'step:1[2]#1').ends(ok(), 'step:1[3]#1')
      reopen(play, { params: { version: '2' } })
      expect(viewOf(play.run).openGates).toMatchObject([{ gate: '1-step_1', attempt: 2 }])
      play.decide('approve')
      expect(works(play)).toEqual(['step:1[2]#2', 'step:1[4]#1'])
      isFolded(play)
    })
  })

  test('may fail and be retried again and again', () => {
    const play = failedAt2()
    for (const attempt of [2, 3]) {
      reopen(play)
      expect(works(play)).toEqual([`step:2#${attempt}`])
      play.ends(failed())
      expect(play.state).toBe('failed')
    }
    isFolded(play)
  })

  test('keeps the approval of the step that failed, and asks anew where params change', () => {
    const gated = () => {
      const play = start([{}, { requiresApproval: true }]).ends(ok())
      play.decide('approve')
      return play.ends(failed())
    }
    const same = gated()
    reopen(same)
    expect(works(same)).toEqual(['step:2#2'])
    const other = gated()
    reopen(other, { params: { version: '2' } })
    expect(viewOf(other.run).openGates).toMatchObject([{ gate: '2-step_2', attempt: 2 }])
    expect(other.run.seed.params).toEqual({ version: '2' })
    for (const play of [same, other]) isFolded(play)
  })

  test('asks a gate again that ended the run', () => {
    const play = start([{ requiresApproval: true, onReject: 'fail' }])
    play.decide('reject')
    expect(play.state).toBe('failed')
    reopen(play)
    expect(viewOf(play.run).openGates).toMatchObject([{ gate: '1-step_1', attempt: 2 }])
    const check = [
      { key: 'pre_x', type: 'verification', position: { at: 'start' }, required: true, command: command('x') },
    ] as const
    const checked = start([{}], { gates: check }).ends(failed())
    expect(checked.state).toBe('failed')
    reopen(checked)
    expect(works(checked)).toEqual(['gate:pre_x#2'])
    for (const each of [play, checked]) isFolded(each)
  })

  test('does again, with its gates, what was rolled back', () => {
    const play = start([undo, { ...undo, requiresApproval: true }, { onFailure: { kind: 'rollback' } }]).ends(ok())
    play.decide('approve')
    play.ends(ok()).ends(failed()).ends(ok()).ends(ok())
    expect(states(play)).toEqual(['rolled_back', 'rolled_back', 'failed'])
    reopen(play)
    expect(works(play)).toEqual(['step:1#2'])
    play.ends(ok())
    expect(viewOf(play.run).openGates).toMatchObject([{ gate: '2-step_2', attempt: 2 }])
    play.decide('approve')
    play.ends(ok()).ends(failed())
    expect(works(play)).toEqual(['rollback:2#2'])
    isFolded(play)
  })

  test('leaves a failure that the run went on after', () => {
    const play = start([{ onFailure: { kind: 'continue' } }, {}])
      .ends(failed())
      .ends(failed())
    reopen(play)
    expect(play.last('run_retried').details.again).toEqual([2])
    expect(states(play)).toEqual(['failed', 'running'])
    isFolded(play)
  })

  test('gives the run its time anew', () => {
    const play = start([{}, { action: { kind: 'wait', durationMs: 5 * HOUR } }], { timeoutMs: HOUR })
      .ends(ok())
      .wait(HOUR)
    expect(play.state).toBe('failed')
    play.wait(HOUR)
    reopen(play)
    expect(play.timers.get('run')?.at).toBe(new Date(play.nowMs + HOUR).toISOString())
    expect(states(play)).toEqual(['success', 'running'])
    isFolded(play)
  })

  test('asks for its slot again, and not about its cooldown', () => {
    const play = start([{}], { maxConcurrent: 1 })
    const admit = (kind: 'admitted' | 'queued') => {
      const verdict = kind === 'admitted' ? { kind } : { kind, reason: 'full' }
      play.works.delete('admission:slot')
      play.tell({ kind: 'admission', workId: 'admission:slot', verdict })
    }
    admit('admitted')
    play.ends(failed())
    reopen(play)
    expect(works(play)).toEqual(['admission:slot'])
    admit('queued')
    expect(viewOf(play.run)).toMatchObject({ status: 'pending', reason: 'full' })
    admit('admitted')
    expect(works(play)).toEqual(['step:1#2'])
    isFolded(play)
  })
})

describe('retry of a cancelled run', () => {
  test('does again what the cancel cut off, and asks the open gate again', () => {
    const manual = start([{}, { action: { kind: 'manual' } }]).ends(ok())
    manual.decide('cancel')
    expect(states(manual)).toEqual(['success', 'skipped'])
    reopen(manual)
    expect(states(manual)).toEqual(['success', 'awaiting_input'])
    const running = start([{}, {}]).ends(ok())
    running.decide('cancel')
    running.ends(failed({ outcome: 'cancelled' }))
    reopen(running)
    expect(works(running)).toEqual(['step:2#2'])
    const gate = start([{}, { requiresApproval: true }]).ends(ok())
    gate.decide('cancel')
    reopen(gate)
    expect(viewOf(gate.run).openGates).toMatchObject([{ gate: '2-step_2', attempt: 2 }])
    for (const play of [manual, running, gate]) isFolded(play)
  })

  test('keeps what a person or a condition skipped', () => {
    const play = start([{ if: 'never' }, { action: { kind: 'manual' } }, {}])
    play.decide('skip', { step: 2 })
    play.ends(failed())
    reopen(play)
    expect(states(play)).toEqual(['skipped', 'skipped', 'running'])
    isFolded(play)
  })

  test('asks at its start again', () => {
    const play = start([{}], { mode: 'supervised' })
    play.decide('reject')
    expect(play.state).toBe('cancelled')
    reopen(play)
    expect(play.state).toBe('waiting_approval')
    expect(viewOf(play.run).openGates).toMatchObject([{ gate: 'start', attempt: 2 }])
    play.decide('approve')
    expect(works(play)).toEqual(['step:1#1'])
    isFolded(play)
  })

  test('asks about a step that was under way when somebody ended the execution', () => {
    const play = start([{}, {}]).ends(ok())
    // What whoever looks after terminated runs puts on record.
    const end = {
      sequence: play.run.sequence + 1,
      timestamp: new Date(play.nowMs).toISOString(),
      eventType: 'run_cancelled',
      runId: 'sop_run_test',
      principal: { id: 'engine', kind: 'service' },
      via: 'engine',
      details: { reason: 'terminated in Temporal' },
    } as const
    play.events.push(end)
    play.run = fold(play.seed, play.events)
    play.works.clear()
    expect(states(play)).toEqual(['success', 'unknown'])
    reopen(play)
    expect(play.last('run_paused').details.kind).toBe('unknown')
    expect(play.decide('complete')).toMatchObject({ accepted: true, status: 'completed' })
    isFolded(play)
  })

  test('begins an unknown step again where the retry says so', () => {
    for (const decision of [{ step: 1 }, { outcome: 'did_not_run' as const }]) {
      const play = start([{}, {}]).ends({ outcome: 'lost', error: 'gone' })
      play.decide('cancel')
      expect(states(play)).toEqual(['unknown', 'pending'])
      reopen(play, decision)
      expect(works(play)).toEqual(['step:1#2'])
      isFolded(play)
    }
  })
})

describe('a closed run is not opened again', () => {
  const closed = {
    completed: () => start([{}]).ends(ok()),
    refused: () => start([{}], { conditions: { requires: [] } }, { problems: ['no such param'] }),
    failed: () => start([{}, {}]).ends(failed()),
    open: () => start([{}]),
  }
  test.each([
    ['completed', {}, 'conflict', /already completed: there is nothing to retry/],
    ['refused', {}, 'conflict', /was never let in \(no such param\): start a new run/],
    ['open', {}, 'conflict', /is open/],
    ['failed', { step: 2 }, 'invalid', /has not been at step 2 yet/],
    ['failed', { step: 9 }, 'not_found', /the SOP has no step 9/],
    ['failed', { attempt: 3, step: 1 }, 'conflict', /attempt 3 of step 1 is over/],
    ['failed', { outcome: 'did_not_run' }, 'invalid', /"outcome" is about a step/],
    ['failed', { params: { PATH: '/tmp' } }, 'invalid', /this name is reserved/],
  ] as const)('when it is %s, by %j, and nothing is added to its record', (which, decision, code, reason) => {
    const play = closed[which]()
    const before = play.run
    const reply = reopen(play, decision)
    expect(reply).toMatchObject({ accepted: false, code })
    expect(reply?.reason).toMatch(reason)
    expect(play.run).toEqual(before)
    expect(play.run.sequence).toBe(play.events.length)
  })

  test('when nothing vouches for the sender', () => {
    const play = closed.failed()
    const reply = play.tell({ kind: 'reopen', decision: { kind: 'retry' } })
    expect(reply).toMatchObject({ accepted: false, code: 'forbidden' })
  })
})
