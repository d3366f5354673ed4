import { describe, expect, test } from 'vitest'
import { createFileAudit } from '../../src/adapters/file-audit.ts'
import { openFileRunIndex } from '../../src/adapters/file-run-index.ts'
import { openFileTraceCursors } from '../../src/adapters/file-trace-cursors.ts'
import { replaySpans } from '../../src/core/trace/run-spans.ts'
import type { TraceCursors } from '../../src/core/trace/cursors.ts'
import type { RunEvent } from '../../src/core/run/event.ts'
import { createSendSpans, otlpHeaders, tracesEndpoint } from '../../src/engine/send-spans.ts'
import { createTraceExporter } from '../../src/engine/trace-exporter.ts'
import { created, runOf, tempDir, wholeRun } from '../adapters/support/records.ts'
import { startOtlpReceiver } from '../support/otlp-receiver.ts'

const START = Date.UTC(2026, 2, 1)
const DAY = 86_400_000

const setUp = async () => {
  const dataDir = tempDir()
  const receiver = await startOtlpReceiver()
  const warnings: string[] = []
  let nowMs = START
  /** A process of the engine: its stores, and what tells of them. */
  const open = async (change: (cursors: TraceCursors) => TraceCursors = (cursors) => cursors) => {
    const index = await openFileRunIndex({ dataDir })
    const audit = createFileAudit({ dataDir, listeners: [index] })
    const send = createSendSpans(`${receiver.url}/v1/traces`, {
      headers: otlpHeaders('Authorization=Basic%20abc,x-scope=ops'),
      resource: { version: '1', attributes: { 'service.name': 'sop-engine' } },
    })
    const exporter = createTraceExporter({
      index,
      audit,
      cursors: change(await openFileTraceCursors({ dataDir })),
      send,
      log: { info: () => {}, warn: (message) => void warnings.push(message) },
      now: () => nowMs,
      lookMs: 20,
    })
    const record = async (events: readonly RunEvent[]) => {
      await audit.append({ runId: events[0]?.runId ?? '', sop: 'deploy' }, events)
      await index.flush()
    }
    return { exporter, record }
  }
  const names = (): readonly string[] => receiver.spans.map(({ name }) => name)
  return {
    receiver,
    warnings,
    open,
    names,
    at: (ms: number) => {
      nowMs = ms
    },
  }
}
const idsOf = (record: readonly RunEvent[]): readonly string[] =>
  (replaySpans(record, 'deploy')?.spans ?? []).map(({ spanId }) => spanId)

describe('createTraceExporter()', () => {
  test('tells a run of three weeks as one trace, by several processes, each span once', async () => {
    const { open, receiver, at } = await setUp()
    const record = wholeRun('r', START).map((event, day) => ({
      ...event,
      timestamp: new Date(START + day * 3 * DAY).toISOString(),
    }))
    for (let length = 1; length <= record.length; length++) {
      at(Date.parse(record[length - 1]?.timestamp ?? ''))
      // Every event in a process of its own.
      const { exporter, record: append } = await open()
      await exporter.tell()
      await append(record.slice(0, length))
      await exporter.tell()
      await exporter.tell()
    }
    expect(receiver.spans.map(({ spanId }) => spanId)).toEqual(idsOf(record))
    expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(1)
    const run = receiver.spans.at(-1)
    expect(Number(BigInt(run?.endTimeUnixNano ?? 0) - BigInt(run?.startTimeUnixNano ?? 0)) / 1e6).toBe(21 * DAY)
    expect(receiver.requests[0]).toMatchObject({
      path: '/v1/traces',
      headers: { authorization: 'Basic abc', 'x-scope': 'ops', 'content-type': 'application/json' },
    })
  })

  test('tells the same within one process, and asks for nothing where there is nothing to tell', async () => {
    const { open, receiver } = await setUp()
    const { exporter, record } = await open()
    const whole = wholeRun('r', START)
    for (let length = 1; length <= whole.length; length++) {
      await record(whole.slice(0, length))
      await exporter.tell()
    }
    await exporter.tell()
    expect(receiver.spans.map(({ spanId }) => spanId)).toEqual(idsOf(whole))
    expect(receiver.requests).toHaveLength(3)
  })

  test('loses nothing while the collector is away, and says so', async () => {
    const { open, receiver, names } = await setUp()
    const { exporter, record } = await open()
    for (const status of [503, 429, 500]) {
      receiver.answer = { status }
      await record(wholeRun(`run-${status}`, START))
      await expect(exporter.tell()).rejects.toThrow(`answered ${status}`)
    }
    receiver.answer = { status: 200 }
    await exporter.tell()
    expect(names().filter((name) => name === 'run deploy')).toHaveLength(3)
    expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).toBe(9)
  })

  test('is unwell as long as nobody answers, tries again by itself, and no run waits for it', async () => {
    const { open, receiver, warnings } = await setUp()
    receiver.answer = { status: 503 }
    const { exporter, record } = await open()
    exporter.start()
    await record(wholeRun('r', START))
    await expect
      .poll(() => exporter.health(), { timeout: 20_000, interval: 10 })
      .toMatchObject({ ok: false, figures: { runs: 1 } })
    expect(exporter.health().detail).toContain('answered 503')
    receiver.answer = { status: 200 }
    await expect.poll(() => exporter.health().ok, { timeout: 50_000 }).toBe(true)
    expect(receiver.spans).toHaveLength(3)
    expect(warnings).toEqual(['traces cannot be told; it is tried again'])
    await exporter.close()
  })

  test('leaves out what the collector will never take', async () => {
    const { open, receiver, warnings, names } = await setUp()
    const { exporter, record } = await open()
    receiver.answer = { status: 400 }
    await record(wholeRun('a', START))
    await exporter.tell()
    receiver.answer = { status: 200, body: { partialSuccess: { rejectedSpans: '2', errorMessage: 'too old' } } }
    await record(wholeRun('b', START))
    await exporter.tell()
    receiver.answer = { status: 200, body: { partialSuccess: { rejectedSpans: 0, errorMessage: 'be kind' } } }
    await record(wholeRun('c', START))
    await exporter.tell()
    await exporter.tell()
    expect(names().filter((name) => name === 'run deploy')).toHaveLength(2)
    expect(warnings).toHaveLength(2)
  })

  test('a crash between sending and keeping tells the same spans again, under the same ids', async () => {
    const { open, receiver } = await setUp()
    const first = await open((cursors) => ({ ...cursors, set: () => Promise.reject(new Error('killed')) }))
    const whole = wholeRun('r', START)
    await first.record(whole.slice(0, 6))
    await expect(first.exporter.tell()).rejects.toThrow('killed')
    const { exporter, record } = await open()
    await record(whole)
    await exporter.tell()
    const ids = idsOf(whole)
    expect(receiver.spans.map(({ spanId }) => spanId)).toEqual([...ids.slice(0, 2), ...ids])
  })

  test('tells of runs that ended while no process was there, and not of those before it was asked to', async () => {
    const { open, names, at } = await setUp()
    const before = await open()
    await before.record(wholeRun('old', START))
    const parked = wholeRun('open', START).map((event, at) =>
      at < 3 ? event : { ...event, timestamp: new Date(START + 120_000 + at).toISOString() },
    )
    await before.record(parked.slice(0, 3))
    at(START + 60_000)
    const first = await open()
    await first.exporter.tell()
    expect(names()).toEqual([])
    await first.record(wholeRun('later', START + 120_000))
    const second = await open()
    await second.record(parked)
    await second.exporter.tell()
    expect([...names()].sort()).toEqual([
      'gate 1-build',
      'gate 1-build',
      'run deploy',
      'run deploy',
      'step Build',
      'step Build',
    ])
  })

  test('does not tell of what is older than a week', async () => {
    const { open, names, at, receiver } = await setUp()
    const { exporter, record } = await open()
    receiver.answer = { status: 503 }
    await record(wholeRun('r', START))
    await expect(exporter.tell()).rejects.toThrow()
    at(START + 8 * DAY)
    receiver.answer = { status: 200 }
    await exporter.tell()
    expect(names()).toEqual([])
  })

  test('goes on after a reset in Temporal', async () => {
    const { open, receiver } = await setUp()
    const { exporter, record } = await open()
    const say = runOf('r', START)
    const whole = [
      say('run_created', created()),
      say('approval_requested', { gate: 'g', attempt: 1, title: 'A', because: 'gates' }, 1),
      say('approval_granted', { gate: 'g', attempt: 1 }, 1),
      say('step_started', { title: 'A', attempt: 1, kind: 'shell' }, 1),
      say('run_forked', { fromSequence: 3, runSequence: 3, reason: 'reset' }),
      say('approval_granted', { gate: 'g', attempt: 1 }, 1),
      say('step_started', { title: 'A', attempt: 1, kind: 'shell' }, 1),
      say('step_completed', { title: 'A', attempt: 1, duration: '', duration_ms: 1000 }, 1),
      say('run_cancelled', { reason: 'x' }),
    ]
    for (const length of [4, 6, 9]) {
      await record(whole.slice(0, length))
      await exporter.tell()
    }
    expect(receiver.spans.map(({ spanId }) => spanId)).toEqual(idsOf(whole))
  })

  test('tells a run of thousands of steps in pieces', async () => {
    const { open, receiver } = await setUp()
    const { exporter, record } = await open()
    const say = runOf('r', START)
    const steps = Array.from({ length: 1500 }, (_, at) => [
      say('step_started', { title: 'A', attempt: at + 1, kind: 'shell' }, 1),
      say('step_completed', { title: 'A', attempt: at + 1, duration: '', duration_ms: 1 }, 1),
    ]).flat()
    await record(steps)
    await exporter.tell()
    expect(receiver.spans).toHaveLength(1500)
    expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).toBe(1500)
    expect(receiver.requests.length).toBe(3)
  })
})

describe('where traces go', () => {
  const none = { serviceName: 'x' }
  test.each<[Parameters<typeof tracesEndpoint>[0], string | undefined]>([
    [none, undefined],
    [{ ...none, endpoint: 'http://c:4318' }, 'http://c:4318/v1/traces'],
    [{ ...none, endpoint: 'http://c:4318/base/' }, 'http://c:4318/base/v1/traces'],
    [{ ...none, endpoint: 'http://c:4318', tracesEndpoint: 'http://t/x' }, 'http://t/x'],
  ])('%j', (config, url) => expect(tracesEndpoint(config)).toBe(url))

  test.each<[string | undefined, Record<string, string>]>([
    [undefined, {}],
    ['a=b, C = d=e', { a: 'b', c: 'd=e' }],
    ['a=%', { a: '%' }],
    ['nonsense', {}],
  ])('headers %j', (text, headers) => expect(otlpHeaders(text)).toEqual(headers))
})
