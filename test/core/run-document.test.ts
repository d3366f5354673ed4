import { describe, expect, test } from 'vitest'
import { isClosedAfter, logLines, runDocument } from '../../src/core/run-document.ts'
import type { RunEvent } from '../../src/core/run/event.ts'
import { created, runOf, wholeRun } from '../adapters/support/records.ts'
import { sopOf } from '../support/definitions.ts'
import { failed, ok, Play } from '../support/play.ts'

describe('runDocument()', () => {
  test('is the document of seed 000, with exactly its keys', () => {
    expect(runDocument('deploy', wholeRun('run-1'))).toStrictEqual({
      sop: 'deploy',
      started_at: '2026-02-25T13:00:00.000Z',
      completed_at: '2026-02-25T13:00:07.000Z',
      status: 'success',
      steps: [
        { number: 1, title: 'Build', status: 'success', duration_ms: 1000, output: 'built\nall\n' },
        { number: 2, title: 'Notify', status: 'skipped', duration_ms: 0, output: 'condition "x" is false' },
      ],
      metrics: { total_duration_ms: 7000, steps_completed: 1, steps_skipped: 1, approval_waits: 1 },
    })
  })

  test('tells of the last execution of a step that was tried again', () => {
    const play = new Play(sopOf({ steps: [{ onFailure: { kind: 'retry', times: 1 } }] })).start()
    play.ends(failed({ output: 'first' })).ends(ok({ output: 'second', durationMs: 2000 }))
    const { status, steps } = runDocument('x', play.events)
    expect([status, steps]).toEqual([
      'success',
      [{ number: 1, title: 'Step 1', status: 'success', duration_ms: 2000, output: 'second' }],
    ])
  })

  test('tells why a step failed', () => {
    const play = new Play(sopOf({ steps: [{ onFailure: { kind: 'fail' } }, {}] }))
      .start()
      .ends(failed({ output: 'log' }))
    const { status, steps } = runDocument('x', play.events)
    expect(status).toBe('failed')
    expect(steps).toEqual([
      { number: 1, title: 'Step 1', status: 'failed', duration_ms: 1000, output: 'log\nexit code 1' },
    ])
  })

  test('of a run that was cancelled before it began has no steps', () => {
    const play = new Play(sopOf({ mode: 'supervised', steps: [{}] })).start()
    play.decide('cancel', { reason: 'no' })
    const document = runDocument('x', play.events)
    expect(document).toMatchObject({
      status: 'cancelled',
      steps: [],
      metrics: { approval_waits: 1, steps_completed: 0 },
    })
  })

  test('of a run that is open has no end', () => {
    const document = runDocument('x', wholeRun('r').slice(0, 5))
    expect(document).toMatchObject({ status: 'running', completed_at: null, steps: [{ status: 'running' }] })
  })

  test('needs an event', () => {
    expect(() => runDocument('x', [])).toThrow('Cannot write run document of "x": the run has no events')
  })
})

test('isClosedAfter() opens a failed run again when it is retried', () => {
  const say = runOf('r')
  const failure = say('run_failed', { reason: 'x' })
  expect(isClosedAfter(false, [failure])).toBe(true)
  expect(isClosedAfter(true, [])).toBe(true)
  expect(isClosedAfter(true, [say('run_retried', {})])).toBe(false)
  expect(isClosedAfter(false, [failure, say('run_retried', {}), failure])).toBe(true)
})

describe('logLines()', () => {
  const say = runOf('r')
  test.each<[RunEvent, string]>([
    [
      say('run_created', created()),
      '2026-02-25T13:00:00.000Z  run_created  by alice via cli  sop=deploy  version=1.0.0  effectiveMode=auto\n',
    ],
    [
      say(
        'step_completed',
        { title: 'Build it', attempt: 1, duration: '1s', duration_ms: 1000, output: 'a\n\nb\n', exitCode: 0 },
        1,
      ),
      '2026-02-25T13:00:01.000Z  step_completed step 1  by alice via cli  title="Build it"  attempt=1  exitCode=0  duration=1s\n    a\n    \n    b\n',
    ],
    [
      {
        ...say('run_paused', { kind: 'requested', reason: 'two\nlines' }),
        principal: { id: 'x', kind: 'user', verified: false },
      },
      '2026-02-25T13:00:02.000Z  run_paused  by x (unverified) via cli  reason="two\\nlines"\n',
    ],
  ])('%#', (event, text) => {
    expect(logLines(event)).toBe(text)
  })
})
