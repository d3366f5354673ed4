import { describe, expect, test } from 'vitest'
import { replaySpans, tellSpans } from '../../../src/core/trace/run-spans.ts'
import type { TraceState } from '../../../src/core/trace/teller.ts'
import { otlpBody } from '../../../src/core/trace/otlp.ts'
import { rootRunId, type Span, spanIdOf, traceIdOf } from '../../../src/core/trace/span.ts'
import type { EventDetails, EventType, RunEvent } from '../../../src/core/run/event.ts'
import { childRunId } from '../../../src/core/run/child.ts'
import { created, runOf, wholeRun } from '../../adapters/support/records.ts'
import { game } from '../../support/games.ts'
import fc from '../../support/laws.ts'
import { Play } from '../../support/play.ts'

const START = Date.UTC(2026, 2, 1)
const told = (record: readonly RunEvent[]): readonly Span[] => replaySpans(record, 'deploy')?.spans ?? []
const outline = (spans: readonly Span[]): readonly string[] => {
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]))
  return spans.map(({ name, parentSpanId, startMs, endMs }) => {
    const within = parentSpanId === undefined ? '' : ` in ${names.get(parentSpanId) ?? 'elsewhere'}`
    return `${name}${within} ${(startMs - START) / 1000}-${(endMs - START) / 1000}`
  })
}

describe('replaySpans()', () => {
  test('makes a run a trace, and its gates and steps spans of it', () => {
    const spans = told(wholeRun('r', START))
    expect(outline(spans)).toEqual(['gate 1-build in run deploy 2-3', 'step Build in run deploy 4-5', 'run deploy 0-7'])
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([traceIdOf('r')]))
    expect(spans[0]?.attributes).toEqual({
      'sop.name': 'deploy',
      'sop.run.id': 'r',
      'sop.gate.id': '1-build',
      'sop.gate.attempt': 1,
      'sop.gate.because': 'requires_approval',
      'sop.step.number': 1,
      'sop.gate.decision': 'approved',
      'sop.gate.decided_by': 'user:alice',
      'sop.gate.via': 'cli',
    })
    expect(spans[1]?.attributes).toMatchObject({ 'sop.step.kind': 'shell', 'process.exit.code': 0 })
  })

  test('tells nothing of what was said, printed or handed on', () => {
    const say = runOf('r', START)
    const secret = 'hunter2'
    const record = [
      say('run_created', {
        ...created(),
        params: { password: secret },
        trigger: { type: 'webhook', payload: secret, headers: { a: secret } },
      }),
      say('approval_requested', { gate: 'g', attempt: 1, title: 'A', because: 'gates' }, 1),
      say('approval_granted', { gate: 'g', attempt: 1, comment: secret }, 1),
      say('step_started', { title: 'A', attempt: 1, kind: 'shell' }, 1),
      say(
        'step_failed',
        {
          title: 'A',
          attempt: 1,
          duration: '',
          duration_ms: 1,
          error: secret,
          output: secret,
          outputs: { a: secret },
          outcome: 'failed',
          then: 'fail',
        },
        1,
      ),
      say('run_failed', { reason: secret }),
    ]
    const spans = told(record)
    expect(JSON.stringify(spans)).not.toContain(secret)
    expect(spans.map(({ name, isError }) => [name, isError])).toEqual([
      ['gate g', false],
      ['step A', true],
      ['run deploy', true],
    ])
    expect(spans[1]?.attributes).toMatchObject({ 'error.type': 'failed', 'sop.step.result': 'failed' })
  })

  test('links a run to the step of another that it is', () => {
    const child = childRunId('sop_run_x', { step: 2, item: 3, attempt: 1 })
    const grandchild = childRunId(child, { step: 1, attempt: 2 })
    const spanOf = (runId: string, parent: EventDetails['run_created']['parent']): Span | undefined => {
      const say = runOf(runId, START)
      return told([
        say('run_created', { ...created('backup'), ...(parent && { parent }) }),
        say('run_cancelled', { reason: 'x' }),
      ])[0]
    }
    expect(spanOf(child, { runId: 'sop_run_x', workId: 'child:2[3]#1', stepNumber: 2, item: 3 })).toMatchObject({
      traceId: traceIdOf('sop_run_x'),
      parentSpanId: spanIdOf('sop_run_x', 'step:2[3]#1'),
    })
    expect(spanOf(grandchild, { runId: child, workId: 'child:1#2', stepNumber: 1 })?.traceId).toBe(
      traceIdOf('sop_run_x'),
    )
    // A run that only looks like one has no parent.
    expect(spanOf('night-s1-2', undefined)?.traceId).toBe(traceIdOf('night-s1-2'))
    expect(rootRunId('night-s1-2', false)).toBe('night-s1-2')
  })

  test('goes on in the same trace where a closed run is opened again', () => {
    const say = runOf('r', START)
    const spans = told([
      say('run_created', created()),
      say('run_failed', { reason: 'x' }),
      say('run_retried', { reopens: true, fromStep: 1 }),
      say('step_started', { title: 'A', attempt: 2, kind: 'shell' }, 1),
      say('step_completed', { title: 'A', attempt: 2, duration: '', duration_ms: 1000 }, 1),
      say('run_completed', { duration: '', duration_ms: 1, stepsCompleted: 1, stepsSkipped: 0 }),
    ])
    expect(outline(spans)).toEqual([
      'run deploy 0-1',
      'step A in run deploy again 3-4',
      'run deploy again in run deploy 2-5',
    ])
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(3)
  })

  test('ends what was open at a reset in Temporal, and opens it again by another name', () => {
    const say = runOf('r', START)
    const record = [
      say('run_created', created()),
      say('approval_requested', { gate: 'g', attempt: 1, title: 'A', because: 'gates' }, 1),
      say('approval_granted', { gate: 'g', attempt: 1 }, 1),
      say('step_started', { title: 'A', attempt: 1, kind: 'shell' }, 1),
      say('run_forked', { fromSequence: 3, runSequence: 3, reason: 'reset' }),
      say('approval_granted', { gate: 'g', attempt: 1 }, 1),
      say('step_started', { title: 'A', attempt: 1, kind: 'shell' }, 1),
      say('step_completed', { title: 'A', attempt: 1, duration: '', duration_ms: 1000 }, 1),
    ]
    const spans = told(record)
    expect(outline(spans)).toEqual([
      'gate g in elsewhere 1-2',
      'step A in elsewhere 3-4',
      'gate g in elsewhere 1-5',
      'step A in elsewhere 6-7',
    ])
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(4)
    expect(spans[1]?.attributes).toMatchObject({ 'sop.reset': true })
  })

  test('puts items, inputs, waits for a pool and undos where they belong', () => {
    const say = runOf('r', START)
    const undo = { title: 'A', attempt: 1, duration: '', duration_ms: 500 }
    const at = (type: EventType, details: object, step?: number): RunEvent => say(type, details as never, step)
    const spans = told([
      at('run_created', created()),
      at('step_started', { title: 'A', attempt: 1, kind: 'shell', items: ['x'] }, 1),
      at('step_started', { title: 'A', attempt: 1, kind: 'shell', item: 1 }, 1),
      at('step_completed', { title: 'A', attempt: 1, duration_ms: 1, item: 1 }, 1),
      at('step_waiting', { title: 'A', attempt: 1, pool: 'dba', workId: 'step:1#1', since: '' }, 1),
      at('step_taken', { title: 'A', attempt: 1, pool: 'dba', workId: 'step:1#1', duration_ms: 1 }, 1),
      at('step_completed', { title: 'A', attempt: 1, duration_ms: 1 }, 1),
      at('step_started', { title: 'B', attempt: 1, kind: 'manual' }, 2),
      at('input_requested', { title: 'B', attempt: 1 }, 2),
      at('input_requested', { title: 'B', attempt: 1, overdue: true }, 2),
      at('step_failed', { title: 'B', attempt: 1, outcome: 'failed', then: 'rollback' }, 2),
      at('rollback_started', { because: 'failure', reason: '', then: 'failed', steps: [1] }),
      at('step_rolled_back', undo, 1),
      at('run_failed', { reason: '' }),
    ])
    expect(outline(spans)).toEqual([
      'step A in step A 2-3',
      'wait for pool dba in step A 4-5',
      'step A in run deploy 1-6',
      'wait for input in step B 8-10',
      'step B in run deploy 7-10',
      'undo A in roll back 11.5-12',
      'roll back in run deploy 11-13',
      'run deploy 0-13',
    ])
    expect(spans[3]?.events).toEqual([{ name: 'overdue', atMs: START + 9000 }])
  })

  test('ends the wait for a person where the check of what that did begins', () => {
    const say = runOf('r', START)
    const at = (type: EventType, details: object, step?: number): RunEvent => say(type, details as never, step)
    const spans = told([
      at('run_created', created()),
      at('step_started', { title: 'A', attempt: 1, kind: 'manual' }, 1),
      at('input_requested', { title: 'A', attempt: 1 }, 1),
      at('verification_started', { title: 'A', attempt: 1 }, 1),
      at('verification_passed', { attempt: 1, duration_ms: 1 }, 1),
      at('step_completed', { title: 'A', attempt: 1, duration_ms: 1 }, 1),
      at('run_completed', {}),
    ])
    expect(outline(spans)).toEqual([
      'wait for input in step A 2-3',
      'verify in step A 3-4',
      'step A in run deploy 1-5',
      'run deploy 0-6',
    ])
  })
})

const records = game.map(({ sop, moves, flag }) => {
  const play = new Play(sop, { params: { flag } }, { maxStepVisits: 3 }).start()
  for (const each of moves) each(play)
  return play
})

describe('of every record', () => {
  test('spans have names of their own, lie in their parents, and are all told once the run is over', () =>
    fc.assert(
      fc.property(records, ({ events }) => {
        const whole = replaySpans(events, 'x')
        const spans = whole?.spans ?? []
        expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length)
        const byId = new Map(spans.map((span) => [span.spanId, span]))
        const isOver = events.some(({ eventType }) => /^run_(completed|failed|cancelled)$/.test(eventType))
        for (const { parentSpanId, name, startMs, endMs } of spans) {
          expect(endMs).toBeGreaterThanOrEqual(startMs)
          const parent = parentSpanId === undefined ? undefined : byId.get(parentSpanId)
          if (name.startsWith('run ')) expect(parentSpanId).toBeUndefined()
          else expect(parentSpanId).toBeDefined()
          if (!isOver || parentSpanId === undefined) continue
          expect(parent, name).toBeDefined()
          expect(parent?.endMs).toBeGreaterThanOrEqual(endMs)
        }
        if (isOver) expect(whole?.state.open).toEqual({})
        const begun = events.filter(({ eventType }) => eventType === 'step_started').length
        const open = Object.keys(whole?.state.open ?? {}).filter((key) => key.startsWith('step:')).length
        expect(spans.filter(({ name }) => name.startsWith('step ')).length + open).toBe(begun)
        const asked = events.filter(({ eventType }) => eventType === 'approval_requested').length
        const gates = spans.filter(({ attributes }) => 'sop.gate.attempt' in attributes).length
        expect(gates + Object.keys(whole?.state.open ?? {}).filter((key) => key.startsWith('gate:')).length).toBe(asked)
      }),
      { numRuns: 300 },
    ))

  test('it is told the same event by event, with a restart between any two', () =>
    fc.assert(
      fc.property(records, ({ events }) => {
        const spans: Span[] = []
        let state: TraceState | undefined
        for (const event of events) {
          const next = tellSpans(state && (JSON.parse(JSON.stringify(state)) as TraceState), event, 'x')
          state = next.state
          spans.push(...next.spans)
        }
        expect(spans).toEqual(replaySpans(events, 'x')?.spans ?? [])
        const at = Math.floor(events.length / 2)
        const after = events.slice(at).flatMap(({ sequence }) => [sequence])[0] ?? 1
        const rest = replaySpans(events, 'x', after - 1)?.spans ?? []
        expect(spans.slice(spans.length - rest.length)).toEqual(rest)
      }),
      { numRuns: 100 },
    ))
})

test('otlpBody() writes what a collector reads', () => {
  const [gate] = told(wholeRun('r', START))
  if (gate === undefined) throw new Error('no span')
  expect(
    otlpBody({ attributes: { 'service.name': 'sop-engine' }, version: '1' }, [{ ...gate, isError: true }]),
  ).toEqual({
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'sop-engine' } }] },
        scopeSpans: [
          {
            scope: { name: 'sop-engine', version: '1' },
            spans: [
              expect.objectContaining({
                traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
                spanId: expect.stringMatching(/^[0-9a-f]{16}$/) as unknown,
                parentSpanId: spanIdOf('r', 'run'),
                name: 'gate 1-build',
                kind: 1,
                startTimeUnixNano: `${START + 2000}000000`,
                endTimeUnixNano: `${START + 3000}000000`,
                status: { code: 2 },
                attributes: expect.arrayContaining([
                  { key: 'sop.gate.attempt', value: { intValue: '1' } },
                  { key: 'sop.gate.decision', value: { stringValue: 'approved' } },
                ]) as unknown,
              }),
            ],
          },
        ],
      },
    ],
  })
})
