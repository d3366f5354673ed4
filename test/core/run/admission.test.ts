import { describe, expect, test } from 'vitest'
import { admissionRequest, locksOf, needsAdmission } from '../../../src/core/run/admission.ts'
import type { AdmissionVerdict } from '../../../src/core/run/input.ts'
import { sealedOrder } from '../../../src/core/run/queue-order.ts'
import type { PinnedChild } from '../../../src/core/run/run.ts'
import { type SopSketch, sopOf } from '../../support/definitions.ts'
import { ok, Play } from '../../support/play.ts'

const HOUR = 3_600_000

/** Answers what the run asked of admission last. */
const answer = (play: Play, verdict: AdmissionVerdict, turn?: number): Play => {
  const asked = [...play.works.values()].find((work) => work.kind === 'admission' && work.phase !== 'yield')
  if (asked === undefined) throw new Error(`nothing is asked of admission: ${[...play.works.keys()].join(', ')}`)
  if (verdict.kind !== 'queued') play.works.delete(asked.id)
  play.tell({ kind: 'admission', workId: asked.id, verdict, ...(turn !== undefined && { turn }) })
  return play
}
const admitted: AdmissionVerdict = { kind: 'admitted' }

const gated = { maxConcurrent: 1, releaseSlotAtGate: true, locks: ['x'] }
const atGate = (sketch: Partial<SopSketch> = {}): Play => {
  const play = new Play(sopOf({ ...gated, steps: [{}, { requiresApproval: true }], ...sketch })).start()
  return answer(play, admitted, 1).ends(ok(), 'step:1#1')
}

describe('release_slot_at_gate', () => {
  test('gives the slot away at the gate, and asks for it again when the gate is decided', () => {
    const play = atGate()
    expect(play.types.slice(-2)).toEqual(['approval_requested', 'slot_released'])
    expect([...play.works.keys()]).toEqual(['admission:yield#1'])
    play.works.clear()
    play.decide('approve')
    expect([...play.works.keys()]).toEqual(['admission:slot'])
    expect(admissionRequest(play.run, 'slot')).toMatchObject({ turn: 2, begun: true, force: true, locks: ['x'] })
    expect(play.types).not.toContain('run_queued')
    answer(play, { kind: 'queued', reason: 'full' }, 2)
    expect(play.state).toBe('pending')
    answer(play, admitted, 2)
    expect([...play.works.keys()]).toEqual(['step:2#1'])
    play.ends(ok())
    expect(play.state).toBe('completed')
  })

  test('the timer that opens the gate asks for the slot as well', () => {
    const play = atGate({ approvalTimeoutMs: HOUR }).wait(HOUR)
    expect([...play.works.keys()]).toContain('admission:slot')
    expect(play.run.steps[1]?.state).not.toBe('running')
  })

  test('an answer to an earlier request does not count', () => {
    const play = atGate()
    play.decide('approve')
    answer(play, admitted, 1)
    expect(play.types.filter((type) => type === 'run_admitted')).toHaveLength(1)
    expect(play.run.steps[1]?.state).not.toBe('running')
  })

  test('a rejection and a cancel end the run without its slot', () => {
    const rejected = atGate()
    rejected.decide('reject')
    expect([rejected.state, [...rejected.works.keys()]]).toEqual(['paused', ['admission:yield#1']])
    const cancelled = atGate()
    cancelled.decide('cancel')
    expect(cancelled.state).toBe('cancelled')
  })

  test('a pause at the gate stays what it is, and the way on asks for the slot', () => {
    const play = atGate()
    play.decide('pause')
    play.decide('resume')
    play.works.clear()
    play.decide('approve')
    expect([...play.works.keys()]).toEqual(['admission:slot'])
  })

  test('a run of which another branch still works keeps its slot until that ends', () => {
    const play = new Play(
      sopOf({ ...gated, steps: [{}, { needs: [], requiresApproval: true }, { needs: [1, 2] }] }),
    ).start()
    answer(play, admitted, 1)
    expect(play.types).toContain('approval_requested')
    expect(play.types).not.toContain('slot_released')
    play.ends(ok(), 'step:1#1')
    expect(play.types).toContain('slot_released')
  })

  test.each<[string, Partial<SopSketch>]>([
    ['without the setting', { releaseSlotAtGate: false }],
    ['without a limit', { maxConcurrent: undefined as never }],
  ])('%s it keeps what it has', (_, sketch) => {
    const play = atGate(sketch)
    expect(play.types).not.toContain('slot_released')
  })

  test('a manual step is no gate', () => {
    const play = atGate({ steps: [{}, { action: { kind: 'manual' } }] })
    expect(play.types.at(-1)).toBe('input_requested')
  })
})

describe('what a run asks for', () => {
  const child = (locks: readonly string[]): PinnedChild => ({
    definition: sopOf({ name: 'child', locks, steps: [{}] }),
    digest: '',
    warrants: {},
  })

  test('its locks are its own and those of all SOPs that it runs, sorted, each once', () => {
    const { seed } = new Play(sopOf({ locks: ['y', 'x'], steps: [{}] }))
    const pinned = { ...seed.pinned, children: { child: child(['z', 'x']) } }
    expect(locksOf({ ...seed, pinned })).toEqual(['x', 'y', 'z'])
    const plain = { ...pinned, definition: sopOf({ steps: [{}] }) }
    expect(needsAdmission({ ...seed, pinned: plain })).toBe(true)
  })

  test('a step of another run does not count among all, and says whose it is', () => {
    const parent = { runId: 'p', workId: 'child:1#1', stepNumber: 1 }
    const policy = { maxConcurrentRuns: 3 }
    const alone = new Play(sopOf({ maxConcurrent: 2, steps: [{}] }), {}, policy)
    expect(admissionRequest(alone.run, 'slot')).toMatchObject({ maxTotal: 3 })
    const below = new Play(sopOf({ maxConcurrent: 2, steps: [{}] }), { parent }, policy)
    expect(admissionRequest(below.run, 'slot')).toMatchObject({ parent: 'p', maxConcurrent: 2 })
    expect(admissionRequest(below.run, 'slot')).not.toHaveProperty('maxTotal')
    expect(needsAdmission(new Play(sopOf({ steps: [{}] }), { parent }, policy).seed)).toBe(false)
  })

  test('a run that began under older rules asks as they did', () => {
    const parent = { runId: 'p', workId: 'child:1#1', stepNumber: 1 }
    const play = new Play(
      sopOf({ maxConcurrent: 2, steps: [{}] }),
      { parent, rulesVersion: 3 },
      { maxConcurrentRuns: 3 },
    )
    const { form, turn, ...rest } = admissionRequest(play.start().run, 'slot')
    expect([form, turn, rest.maxTotal, rest.parent]).toEqual([undefined, undefined, 3, undefined])
  })
})

describe('answers of admission', () => {
  const waiting = (): Play => answer(new Play(sopOf({ maxConcurrent: 1, steps: [{}] })).start(), queued)
  const queued: AdmissionVerdict = { kind: 'queued', reason: 'full' }

  test('a run that a newer one replaces is cancelled, and names it', () => {
    const play = answer(waiting(), { kind: 'refused', reason: 'the newer run "b" takes its place', replacedBy: 'b' })
    expect(play.last('run_refused').details).toEqual({ reason: 'the newer run "b" takes its place', replacedBy: 'b' })
    expect([play.state, play.run.outcome?.reason]).toEqual(['cancelled', 'the newer run "b" takes its place'])
  })

  test('an order without a good seal is of somebody who reached Temporal', () => {
    const order = { action: 'drop', reason: 'not tonight', principal: { id: 'eve', kind: 'user' }, via: 'cli' } as const
    const play = answer(waiting(), { kind: 'refused', reason: 'dropped from the queue', order })
    expect(play.last('run_refused')).toMatchObject({
      principal: { id: 'temporal', verified: false },
      via: 'temporal',
      details: { reason: 'dropped from the queue by temporal: not tonight', comment: 'not tonight' },
    })
    expect(play.last('run_cancelled').principal.id).toBe('temporal')
  })

  test('an order that cannot be written down does no harm', () => {
    let deep: unknown = {}
    for (let depth = 0; depth < 600; depth++) deep = { deep }
    const order = { action: 'admit', seal: 'x'.repeat(88), place: deep } as never
    expect(answer(waiting(), { kind: 'admitted', order }).last('run_admitted').principal.id).toBe('temporal')
  })

  test('what the seal covers is the run and everything that was said', () => {
    const order = { action: 'drop', reason: 'a', seal: 's' } as const
    expect(sealedOrder('r1', order)).not.toBe(sealedOrder('r2', order))
    expect(sealedOrder('r1', order)).not.toBe(sealedOrder('r1', { ...order, reason: 'b' }))
  })

  test('a move is on record, though the run was queued before', () => {
    const order = { action: 'move', place: { to: 'front' } } as const
    const play = answer(waiting(), { kind: 'queued', reason: 'moved to place 1 of the queue', order })
    expect(play.types.filter((type) => type === 'run_queued')).toHaveLength(2)
  })
})

describe('blackouts', () => {
  const LATER = '2026-03-01T10:00:00.000Z'
  const MUCH_LATER = '2026-03-08T10:00:00.000Z'
  const sop = (sketch: Partial<SopSketch> = {}) => sopOf({ blackout: ['08:00-10:00'], steps: [{}], ...sketch })
  const lasts = { blackout: { until: LATER, because: 'blackout "08:00-10:00"' } } as never
  const clear = (until: string) => ({ blackout: { until } }) as never

  test('a run that comes in one is refused, and told when it may begin', () => {
    const play = new Play(sop()).start().facts(lasts)
    expect(play.last('run_refused').details).toEqual({
      reason: `blackout "08:00-10:00" lasts until ${LATER}`,
      notBefore: LATER,
    })
    expect(play.state).toBe('cancelled')
  })

  test('outside of one it begins, and is asked once where no time passes', () => {
    const play = new Play(sop()).start().facts(clear(LATER))
    expect(play.types).toEqual(['run_created', 'facts_resolved', 'run_admitted', 'run_started', 'step_started'])
  })

  test('one that began while the run stood at its start gate refuses it after all', () => {
    const play = new Play(sop({ mode: 'supervised' }))
      .start()
      .facts(clear(LATER))
      .wait(3 * HOUR)
    play.decide('approve')
    play.facts({ blackout: { until: MUCH_LATER, because: 'holiday 2026-03-02' } } as never)
    expect(play.state).toBe('cancelled')
    expect(play.last('run_refused').details.notBefore).toBe(MUCH_LATER)
  })

  test('with blackout_policy = "wait" it asks for its slot from the end of the blackout on', () => {
    const play = new Play(sop({ blackoutPolicy: 'wait' })).start().facts(lasts)
    expect(play.last('run_queued').details.notBefore).toBe(LATER)
    expect(admissionRequest(play.run, 'slot')).toMatchObject({ notBefore: LATER, because: 'blackout "08:00-10:00"' })
    answer(play, { kind: 'queued', reason: 'blackout' }, 1).wait(2 * HOUR)
    answer(play, admitted, 1)
    // What begins at that very moment has to be asked.
    expect([...play.works.keys()]).toEqual(['facts:blackout:2'])
    play.facts(clear(MUCH_LATER))
    expect(play.types.slice(-2)).toEqual(['run_started', 'step_started'])
  })

  test('a run that is let in by a clock before its own asks the calendar, and never waits for nobody', () => {
    const play = new Play(sop({ blackoutPolicy: 'wait' })).start().facts(lasts)
    answer(play, admitted, 1)
    expect([...play.works.keys()]).toEqual(['facts:blackout:2'])
    play.facts(lasts)
    expect([...play.works.keys()]).toEqual(['admission:slot'])
    expect(admissionRequest(play.run, 'slot')).toMatchObject({ turn: 2, notBefore: LATER })
    play.wait(2 * HOUR)
    answer(play, admitted, 2).facts(clear(MUCH_LATER))
    expect(play.types.at(-1)).toBe('step_started')
  })

  test('what a run waits for on its arrival does not change with the clock', () => {
    const cools = { cooldownMs: HOUR, blackoutPolicy: 'wait' } as const
    for (const calendar of [lasts, clear(LATER)]) {
      const play = new Play(sop(cools)).start().facts(calendar)
      expect([...play.works.keys()]).toEqual(['admission:arrival'])
      play.wait(3 * HOUR)
      play.tell({ kind: 'record_news', unrecorded: 0, bytes: 0 })
      play.decide('cancel')
      // The question that was asked is the one that is taken back.
      expect(play.cancelled).toEqual(['facts:blackout:1', 'admission:arrival'])
      expect(play.state).toBe('cancelled')
    }
  })

  test('a blackout that was over when its answer came refuses nobody', () => {
    const play = new Play(sop())
      .start()
      .wait(3 * HOUR)
      .facts(lasts)
    expect([...play.works.keys()]).toEqual(['facts:blackout:2'])
    play.facts(clear(MUCH_LATER))
    expect(play.types.at(-1)).toBe('step_started')
  })

  test('one that began while it waited for a slot sends it back to the queue, without its slot', () => {
    const play = new Play(sop({ blackoutPolicy: 'wait', maxConcurrent: 1 }))
      .start()
      .facts(clear(LATER))
      .wait(3 * HOUR)
    answer(play, admitted, 1).facts({ blackout: { until: MUCH_LATER, because: 'holiday' } } as never)
    expect(play.last('run_queued').details).toMatchObject({ again: true, notBefore: MUCH_LATER })
    expect([...play.works.keys()]).toEqual(['admission:slot'])
    expect(admissionRequest(play.run, 'slot')).toMatchObject({ turn: 2, notBefore: MUCH_LATER })
    expect(play.state).toBe('pending')
  })

  test('somebody who admits it passes it over; so does force', () => {
    const play = new Play(sop({ blackoutPolicy: 'wait' })).start().facts(lasts)
    answer(play, { kind: 'admitted', order: { action: 'admit' } }, 1)
    expect(play.types.at(-1)).toBe('step_started')
    expect(play.last('run_admitted').details).toMatchObject({ overLimit: true })
    expect(new Play(sop(), { force: true }).start().types.at(-1)).toBe('step_started')
  })

  test.each<[string, object, Record<string, string> | undefined]>([
    ['nobody can say', {}, { blackout: 'Cannot read "days.ics"' }],
    ['the answer is none', { blackout: true }, undefined],
  ])('where %s, the run is refused', (_, values, errors) => {
    const play = new Play(sop()).start().facts(values as never, errors)
    expect(play.last('run_refused').details.reason).toMatch(/^Cannot find out whether it may begin: /)
  })

  test('a run of older rules never asks', () =>
    expect(new Play(sop(), { rulesVersion: 3 }).start().types.at(-1)).toBe('step_started'))
})
