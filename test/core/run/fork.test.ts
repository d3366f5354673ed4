import { expect, test } from 'vitest'
import { isClosedAfter, runDocument } from '../../../src/core/run-document.ts'
import { effectiveEvents, forRecord, offsetOf } from '../../../src/core/run/fork.ts'
import type { RunEvent } from '../../../src/core/run/event.ts'
import { fold } from '../../../src/core/run/evolve.ts'
import { summaryOf } from '../../../src/core/run/summary.ts'
import { viewOf } from '../../../src/core/run/view.ts'
import { sopOf } from '../../support/definitions.ts'
import { ok, Play } from '../../support/play.ts'

const definition = sopOf({
  steps: [{ title: 'Build' }, { title: 'Deploy', requiresApproval: true }, { title: 'Tell' }],
})

/** A run up to its gate; then it is approved by somebody, or cancelled. */
const toGate = (): Play => new Play(definition).start().ends(ok({ output: 'built' }))
const approved = (by: string): Play => {
  const play = toGate()
  play.nowMs += 1000
  play.decide('approve', { gate: '2-deploy', principal: { id: by, kind: 'user' } })
  return play.ends(ok()).ends(ok())
}
const cancelled = (): Play => {
  const play = toGate()
  play.decide('cancel', { reason: 'no' })
  return play
}
const gate = toGate().events.length

/** What a store does with a batch. */
const take = (record: readonly RunEvent[], events: readonly RunEvent[], ids: { now?: string; last?: string } = {}) => [
  ...record,
  ...forRecord({
    record,
    events,
    ...(ids.now !== undefined && { executionId: ids.now }),
    ...(ids.last !== undefined && { lastExecutionId: ids.last }),
  }).filter(({ sequence }) => sequence > (record.at(-1)?.sequence ?? 0)),
]

test('forRecord() marks where a reset run tells something else, and takes it after the mark', () => {
  const [before, after] = [cancelled(), approved('ben')]
  const record = take(before.events, after.events.slice(gate), { now: 'two', last: 'one' })
  const mark = record[before.events.length]
  expect(mark).toMatchObject({
    eventType: 'run_forked',
    sequence: before.events.length + 1,
    details: { fromSequence: gate + 1, runSequence: gate + 1, executionId: 'two' },
  })
  expect(record.map(({ sequence }) => sequence)).toEqual(record.map((_, index) => index + 1))
  expect(record.slice(0, before.events.length)).toEqual(before.events)
  expect(record.slice(before.events.length + 1).map(({ eventType }) => eventType)).toEqual(
    after.events.slice(gate).map(({ eventType }) => eventType),
  )
})

test('fold(), summaryOf() and runDocument() of a forked record tell of the run as it went on', () => {
  const [before, after] = [cancelled(), approved('ben')]
  const record = take(before.events, after.events.slice(gate))
  expect(viewOf(fold(before.seed, record))).toEqual(viewOf(after.run))
  expect(summaryOf(record)).toMatchObject({ status: 'completed', sequence: record.length, openGates: [] })
  expect(runDocument('test-sop', record)).toMatchObject({ status: 'success', metrics: { approval_waits: 1 } })
  expect(isClosedAfter(false, record)).toBe(true)
  expect(isClosedAfter(false, record.slice(0, before.events.length + 1))).toBe(false)
})

test('a record can be forked again, also before its first fork', () => {
  const [one, two, three] = [cancelled(), approved('ben'), approved('cat')]
  const twice = take(take(one.events, two.events.slice(gate)), three.events.slice(gate))
  expect(twice.filter(({ eventType }) => eventType === 'run_forked')).toHaveLength(2)
  expect(viewOf(fold(one.seed, twice))).toEqual(viewOf(three.run))
  const other = new Play(definition)
  other.nowMs += 5000
  other.start()
  const again = take(twice, other.events, { now: 'four', last: 'three' })
  expect(viewOf(fold(one.seed, again))).toEqual(viewOf(other.run))
  expect(offsetOf(again)).toBe(again.length - other.events.length)
  expect(effectiveEvents(again)).toHaveLength(other.events.length)
})

test('what is told again as it was is a repeat, whoever tells it', () => {
  const play = approved('ann')
  expect(take(play.events, play.events, { now: 'two', last: 'one' })).toEqual(play.events)
  const forked = take(cancelled().events, play.events.slice(gate))
  expect(take(forked, play.events.slice(gate))).toEqual(forked)
})

test('another instant alone is a repeat of a worker that took over, but not of another execution', () => {
  const play = approved('ann')
  const later = play.events.slice(gate).map((event) => ({ ...event, timestamp: '2026-03-01T09:00:00.000Z' }))
  expect(take(play.events, later)).toEqual(play.events)
  expect(take(play.events, later, { now: 'one', last: 'one' })).toEqual(play.events)
  expect(take(play.events, later, { now: 'two', last: 'one' })[play.events.length]?.eventType).toBe('run_forked')
})

test('the last words of an execution that was reset, come late, change nothing', () => {
  const [before, after] = [cancelled(), approved('ben')]
  const record = take(before.events, after.events.slice(gate))
  expect(take(record, before.events.slice(-1), { now: 'one', last: 'two' })).toEqual(record)
})
