import { expect, test } from 'vitest'
import { endedOutside, type OutsideEnd } from '../../../src/core/run/ended-outside.ts'
import { fold } from '../../../src/core/run/evolve.ts'
import { runState, viewOf } from '../../../src/core/run/view.ts'
import { sopOf } from '../../support/definitions.ts'
import { ok, Play } from '../../support/play.ts'

const AT = '2026-03-02T08:00:00.000Z'
const terminated: OutsideEnd = { kind: 'terminated', at: AT, by: 'ann@desk', reason: 'wrong window' }
const definition = sopOf({ steps: [{ title: 'Build' }, { title: 'Deploy', requiresApproval: true }] })

test('endedOutside() ends the record of a terminated run as cancelled, by whom Temporal names, with the reason', () => {
  const play = new Play(definition).start().ends(ok())
  const events = endedOutside(play.run, terminated)
  expect(events).toEqual([
    {
      sequence: play.run.sequence + 1,
      timestamp: AT,
      eventType: 'run_cancelled',
      runId: play.run.seed.runId,
      principal: { id: 'ann@desk', kind: 'user', verified: false },
      via: 'temporal',
      details: { reason: 'terminated in Temporal by ann@desk: wrong window' },
    },
  ])
  const run = fold(play.seed, [...play.events, ...events])
  expect(runState(run)).toBe('cancelled')
  expect(viewOf(run)).toMatchObject({ openGates: [], completedAt: AT })
})

test('endedOutside() says of a command that was under way that nobody knows how far it came', () => {
  const play = new Play(definition).start()
  const events = endedOutside(play.run, terminated)
  expect(events.map(({ eventType, stepNumber }) => [eventType, stepNumber])).toEqual([
    ['step_unknown', 1],
    ['run_cancelled', undefined],
  ])
  expect(fold(play.seed, [...play.events, ...events]).steps[0]?.state).toBe('unknown')
})

test.each([
  [{ kind: 'timed_out', at: AT }, 'run_failed', 'ended by Temporal: the time for its execution was over'],
  [{ kind: 'failed', at: AT, reason: 'bad input' }, 'run_failed', 'its workflow failed in Temporal: bad input'],
  [{ kind: 'cancelled', at: AT }, 'run_cancelled', 'cancelled in Temporal'],
  [{ kind: 'terminated', at: AT }, 'run_cancelled', 'terminated in Temporal'],
] as const)('endedOutside() of %j is %s', (end, eventType, reason) => {
  const play = new Play(definition).start().ends(ok())
  expect(endedOutside(play.run, end)).toMatchObject([{ eventType, details: { reason }, principal: { id: 'temporal' } }])
})

test('endedOutside() says nothing of a run that has ended, and the same when it is asked twice', () => {
  const play = new Play(definition).start().ends(ok())
  const events = endedOutside(play.run, terminated)
  expect(endedOutside(play.run, terminated)).toEqual(events)
  expect(endedOutside(fold(play.seed, [...play.events, ...events]), terminated)).toEqual([])
})
