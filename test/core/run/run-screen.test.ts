import { describe, expect, test } from 'vitest'
import type { Actor } from '../../../src/core/access.ts'
import { nextOf } from '../../../src/core/next.ts'
import { planOf } from '../../../src/core/plan.ts'
import { CONTROLS, type Control, controlsOf } from '../../../src/core/run/controls.ts'
import type { RunEvent } from '../../../src/core/run/event.ts'
import { evolve, newRun } from '../../../src/core/run/evolve.ts'
import { queueControlsOf } from '../../../src/core/run/queue-controls.ts'
import type { Run, RunSeed } from '../../../src/core/run/run.ts'
import { lanesOf, SPANS_OF_A_ROW, timelineOf } from '../../../src/core/run/timeline.ts'
import { transition } from '../../../src/core/run/transition.ts'
import { fixtureNames, isOfRun, readFixture } from '../../workflows/corpus/fixture.ts'
import { bash, sopOf } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'
import { processorMs } from '../../support/processor-time.ts'

const ADMIN: Actor = { principal: { id: 'olga', kind: 'user', role: 'admin' }, via: 'web' }
const AT = '2026-11-22T00:00:00.000Z'

interface Story {
  readonly name: string
  readonly seed: RunSeed
  readonly events: readonly RunEvent[]
}
const stories: readonly Story[] = fixtureNames().flatMap((name) => {
  const fixture = readFixture(name)
  // What was written by the first rules is judged by them; the page shows runs of the present ones.
  return isOfRun(fixture) ? [{ name, seed: fixture.seed, events: fixture.events }] : []
})

const everyState = function* ({ seed, events }: Story): Generator<Run> {
  let run = newRun(seed)
  for (const event of events) {
    run = evolve(run, event)
    yield run
  }
}

const by = (controls: readonly Control[], name: Control['name'], about?: Control['about']): Control | undefined =>
  controls.find((each) => each.name === name && (about === undefined || each.about === about))

describe('controlsOf()', () => {
  test('allows exactly what the rules accept, in every state of every history', () => {
    const seen = new Set<string>()
    const wrong: string[] = []
    for (const story of stories) {
      for (const run of everyState(story)) {
        for (const control of controlsOf(run, ADMIN, AT)) {
          const { verb, body, allowed, name, reason } = control
          const decision = { kind: verb, ...body, principal: ADMIN.principal, via: ADMIN.via }
          const reopens = verb === 'retry' && run.outcome !== undefined
          const { reply } = transition(run, reopens ? { kind: 'reopen', decision } : { kind: 'decision', decision }, AT)
          // A form that wants values is refused without them; that is said when they come.
          const wantsValues = verb === 'complete' && reply?.code === 'invalid'
          if (reply?.accepted !== allowed && !wantsValues) wrong.push(`${story.name} ${name} at ${run.sequence}`)
          if (!allowed && (reason ?? '') === '') wrong.push(`${story.name} ${name} has no reason`)
          seen.add(`${name} ${allowed}`)
        }
      }
    }
    expect(wrong).toEqual([])
    const never = CONTROLS.filter((name) => !seen.has(`${name} true`))
    expect(never, 'controls that no history ever allows').toEqual([])
  })

  const sop = sopOf({ steps: [{ title: 'Build' }, { title: 'Ship', requiresApproval: true, pointOfNoReturn: true }] })

  test('says why not in the words of the refusal', () => {
    const play = new Play(sop).start()
    const running = controlsOf(play.run, ADMIN, AT)
    expect(by(running, 'pause')).toMatchObject({ allowed: true, leadsTo: 'pause requested' })
    expect(by(running, 'resume')).toMatchObject({ allowed: false, code: 'conflict', reason: 'The run is not paused' })
    expect(by(running, 'retry')?.reason).toMatch(/^The run is not paused: name the step/)
    expect(by(running, 'cancel')).toMatchObject({ allowed: true, secondLook: true, body: {} })
    expect(by(running, 'roll_back')).toMatchObject({ allowed: true, verb: 'cancel', body: { rollback: true } })
    play.ends(failed())
    play.ends(ok())
  })

  test('a retry of a run that may have run a step already says so, and wants a second look', () => {
    const play = new Play(sop).start().ends({ outcome: 'lost', error: 'the worker is gone' })
    const retry = controlsOf(play.run, ADMIN, AT).find(({ name, about }) => name === 'retry' && about === 'run')
    expect(retry).toMatchObject({ allowed: true, label: 'Run it again, though it may have run', secondLook: true })
    expect(controlsOf(play.run, ADMIN, AT).some(({ name }) => name === 'retry_from')).toBe(false)
  })

  test('covers what was shown, and wants a second look at what cannot be undone', () => {
    const play = new Play(sop).start().ends(ok())
    const { covers } = play.last('approval_requested').details
    expect(by(controlsOf(play.run, ADMIN, AT), 'approve')).toEqual({
      name: 'approve',
      verb: 'approve',
      about: 'gate',
      label: 'Approve',
      body: { gate: '2-ship', step: 2, attempt: 1, covers },
      allowed: true,
      leadsTo: 'approved',
      secondLook: true,
    })
  })

  test('a viewer is told what role it needs, and an approver of other gates that this one is not theirs', () => {
    const gated = sopOf({ steps: [{ requiresApproval: true, approvers: ['group:dba'] }] })
    const play = new Play(gated).start()
    const viewer: Actor = { principal: { id: 'vic', kind: 'user', role: 'viewer' }, via: 'web' }
    expect(by(controlsOf(play.run, viewer, AT), 'cancel')).toMatchObject({
      allowed: false,
      code: 'forbidden',
      reason: expect.stringContaining('it needs the role operator') as string,
    })
    const approve = by(controlsOf(play.run, ADMIN, AT), 'approve')
    expect(approve).toMatchObject({ allowed: false, code: 'forbidden' })
    expect(approve?.reason).toContain('group:dba')
  })

  test('a closed run is opened again with the values of its secrets', () => {
    const secret = sopOf({ params: [{ name: 'token', type: 'string', secret: true }], steps: [{}] })
    const play = new Play(secret, { params: { token: '[secret]' } }).start().ends(failed())
    expect(play.state).toBe('failed')
    const controls = controlsOf(play.run, ADMIN, AT)
    expect(by(controls, 'retry')).toMatchObject({ allowed: true, secrets: ['token'] })
    expect(by(controls, 'cancel')?.reason).toMatch(/is already failed$/)
  })
})

describe('queueControlsOf()', () => {
  const began = new Play(sopOf({ steps: [{}] })).start().run
  const { startedAt: _, ...waits } = { ...began, queued: { reason: 'full', at: AT } }
  const told = (run: Run) => queueControlsOf(run, ADMIN).map(({ action, allowed, code }) => [action, allowed, code])

  test('are there while a run waits for admission, and dropping one that began is not among them', () => {
    expect(told(began)).toEqual([])
    expect(told(waits)).toEqual([
      ['move', true, undefined],
      ['admit', true, undefined],
      ['drop', true, undefined],
    ])
    expect(told({ ...waits, startedAt: AT }).at(-1)).toEqual(['drop', false, 'conflict'])
  })

  test('are judged by the role that each needs, and say so', () => {
    const viewer: Actor = { principal: { id: 'vic', kind: 'user', role: 'viewer' }, via: 'web' }
    const orders = queueControlsOf(waits, viewer)
    expect(orders.map(({ allowed, code }) => [allowed, code])).toEqual(orders.map(() => [false, 'forbidden']))
    expect(orders.find(({ action }) => action === 'admit')?.reason).toContain('it needs the role admin')
  })
})

describe('timelineOf()', () => {
  test('every bar begins before it ends, and none outlives its run', () => {
    for (const { name, seed, events } of stories) {
      for (const length of [1, Math.ceil(events.length / 2), events.length]) {
        const timeline = timelineOf(seed, events.slice(0, length))
        const spans = [...timeline.spans, ...timeline.rows.flatMap((row) => row.spans)]
        for (const span of spans) expect(Date.parse(span.to ?? AT), name).toBeGreaterThanOrEqual(Date.parse(span.from))
        if (timeline.to !== undefined)
          expect(
            spans.filter(({ to }) => to === undefined),
            name,
          ).toEqual([])
      }
    }
  })

  test('a step that is under way has an open bar, and one that is over has none', () => {
    for (const { name, seed, events } of stories) {
      const timeline = timelineOf(seed, events)
      for (const row of timeline.rows.filter(({ kind }) => kind === 'step')) {
        const open = row.spans.filter(({ to }) => to === undefined)
        const moves = ['running', 'awaiting_input', 'awaiting_approval'].includes(row.status)
        // A step all of whose items failed is still under way, with nothing that runs.
        if (moves && row.items === undefined) expect(open.length, `${name} ${row.id}`).toBeGreaterThan(0)
        if (['success', 'skipped', 'failed'].includes(row.status))
          expect(
            open.filter(({ kind }) => kind !== 'retry' && kind !== 'gate'),
            `${name} ${row.id}`,
          ).toEqual([])
      }
    }
  })

  test('shows what was done and what was waited for', () => {
    const play = new Play(
      sopOf({ mode: 'supervised', steps: [{ title: 'Build', retries: 1, retryDelayMs: 5000 }, { title: 'Ship' }] }),
    ).start()
    play.wait(60_000)
    play.decide('approve')
    play.wait(10_000).ends(failed())
    play.wait(5000)
    play.wait(10_000).ends(ok())
    play.wait(10_000).decide('pause', { reason: 'lunch' })
    const timeline = timelineOf(play.seed, play.events)
    expect(timeline.rows.map(({ id, status }) => [id, status])).toEqual([
      ['start', 'passed'],
      ['1', 'success'],
      ['2', 'running'],
    ])
    const shown = timeline.rows
      .flatMap(({ spans }) => spans)
      .map(({ kind, outcome, from, to, attempt, by }) => {
        const ms = to === undefined ? undefined : Date.parse(to) - Date.parse(from)
        return [kind, outcome, attempt, ms, by].filter((each) => each !== undefined)
      })
    expect(shown).toEqual([
      ['gate', 'approved', 1, 60_000, 'bob'],
      ['work', 'failed', 1, 10_000],
      ['retry', 'ended', 2, 5000],
      ['work', 'ok', 2, 10_000],
      ['work', 1],
    ])
  })

  test('stands still through ten thousand events', () => {
    const sop = sopOf({
      steps: [{ title: 'Probe', onFailure: { action: 'retry', times: 6000 } } as never, { title: 'End' }],
    })
    const play = new Play(sop).start()
    const seed = play.seed
    const [created, started] = [play.events[0], play.last('step_started')]
    if (created === undefined) throw new Error('nothing was created')
    const loop: RunEvent[] = [created]
    for (let at = 0; at < 5000; at += 1) {
      loop.push({ ...started, sequence: 2 * at + 2, details: { ...started.details, attempt: at + 1 } })
      const base = { ...started, sequence: 2 * at + 3, eventType: 'step_failed' as const }
      const details = {
        title: 'Probe',
        attempt: at + 1,
        duration: '1s',
        duration_ms: 1000,
        error: 'no',
        outcome: 'failed',
        then: 'retry',
      } as const
      loop.push({ ...base, details })
    }
    expect(processorMs(() => timelineOf(seed, loop))).toBeLessThan(2000)
    const timeline = timelineOf(seed, loop)
    const [row] = timeline.rows
    expect(row?.spans.length).toBe(SPANS_OF_A_ROW)
    expect((row?.omitted ?? 0) + SPANS_OF_A_ROW).toBe(5000)
    expect(JSON.stringify(timeline).length).toBeLessThan(20_000)
  })
})

test.each([
  ['one path', [undefined, undefined, undefined], [0, 0, 0]],
  ['a diamond', [undefined, [1], [1], [2, 3]], [0, 0, 1, 0]],
  ['three that begin at once', [[], [], [], [1, 2, 3]], [0, 1, 2, 0]],
  ['two diamonds take the same lanes', [undefined, [1], [1], [2, 3], [4], [4], [5, 6]], [0, 0, 1, 0, 0, 1, 0]],
])('lanesOf() of %s', (_name, needs, lanes) => {
  const steps = needs.map((need) => (need === undefined ? {} : { needs: need }))
  expect(lanesOf(sopOf({ steps }))).toEqual(lanes)
})

describe('nextOf()', () => {
  const facts = { values: {} }
  const ids = (run: Run): readonly string[] =>
    nextOf(run, facts).items.map(({ id, runs, now, undo }) => `${undo ? 'undo ' : ''}${id} ${runs}${now ? ' now' : ''}`)

  test('before the first event it is the dry run, and after the last nothing', () => {
    for (const { name, seed, events } of stories) {
      expect(nextOf(newRun(seed), facts).items, name).toEqual(planOf(seed, facts))
      const run = [...everyState({ name, seed, events })].at(-1)
      if (run?.outcome !== undefined) expect(nextOf(run, facts), name).toEqual({ items: [], total: 0 })
    }
  })

  test('conditions see what was done so far', () => {
    const play = new Play(
      sopOf({
        steps: [
          { title: 'Ask', outputs: ['region'] },
          { title: 'In Europe', if: 'region == "eu"' },
          { title: 'Elsewhere', if: 'region != "eu"' },
          { title: 'Sign off', action: { kind: 'manual' }, requiresApproval: true },
        ],
      }),
    ).start()
    expect(ids(play.run)).toEqual(['1 yes now', '2 unknown', '3 unknown', '4-sign_off yes', '4 yes'])
    play.ends(ok({ outputs: { region: 'eu' } }))
    expect(ids(play.run)).toEqual(['2 yes now', '3 no', '4-sign_off yes', '4 yes'])
    play.ends(ok())
    expect(ids(play.run)).toEqual(['4-sign_off yes now', '4 yes'])
    play.decide('approve')
    expect(ids(play.run)).toEqual(['4 yes now'])
  })

  test('a walk back tells what is undone, in its order', () => {
    const undo = [{ interpreter: 'bash', script: 'undo' }] as const
    const play = new Play(sopOf({ steps: [{ rollback: undo }, { rollback: undo }, { action: bash('x') }] })).start()
    play.ends(ok()).ends(ok())
    play.decide('cancel', { rollback: true })
    play.ends(failed({ outcome: 'cancelled' }))
    expect(ids(play.run)).toEqual(['undo 2 yes now', 'undo 1 yes'])
    expect(nextOf(play.run, facts).then).toBe('cancelled')
  })
})
