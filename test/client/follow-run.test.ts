import { describe, expect, onTestFinished, test } from 'vitest'
import { createFileAudit } from '../../src/adapters/file-audit.ts'
import { openFileRunIndex } from '../../src/adapters/file-run-index.ts'
import { createChangeWatch } from '../../src/client/change-watch.ts'
import { followChanges, followEvents } from '../../src/client/follow-run.ts'
import { created, runOf, tempDir, wholeRun } from '../adapters/support/records.ts'

/** The real stores of an engine, and readers beside it. */
const setUp = async () => {
  const dataDir = tempDir()
  const index = await openFileRunIndex({ dataDir })
  const audit = createFileAudit({ dataDir, listeners: [index] })
  let questions = 0
  const watch = createChangeWatch({
    changes: (cursor) => {
      questions += 1
      return index.changes(cursor)
    },
  })
  const abort = new AbortController()
  onTestFinished(() => abort.abort())
  const deps = { records: { audit, index } as never, watch }
  return {
    audit,
    watch,
    abort,
    questions: () => questions,
    // A signal for each reader, as each request has one.
    events: (runId: string, after = 0) => followEvents(deps, runId, after, AbortSignal.any([abort.signal])),
    changes: (cursor?: string) => followChanges(deps, cursor, AbortSignal.any([abort.signal])),
    record: (runId: string, length: number) => audit.append({ runId, sop: 'deploy' }, wholeRun(runId).slice(0, length)),
  }
}
/** What a reader got, as it comes. */
const collect = <T>(items: AsyncIterable<T>) => {
  const got: T[] = []
  const done = (async () => {
    for await (const item of items) got.push(item)
  })()
  return { got, done }
}

describe('followEvents()', () => {
  test('gives what is there and what comes, and ends with the run', async () => {
    const { events, record, watch } = await setUp()
    await record('a', 2)
    const { got, done } = collect(events('a'))
    await expect.poll(() => got.length, { timeout: 20_000 }).toBe(2)
    await record('a', 5)
    await expect.poll(() => got.length, { timeout: 20_000 }).toBe(5)
    await record('a', 8)
    await done
    expect(got.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(watch.armed).toBe(0)
  })

  test('goes on after a sequence, and ends at once where nothing is left', async () => {
    const { events, record } = await setUp()
    await record('a', 8)
    const after = async (sequence: number) => {
      const { got, done } = collect(events('a', sequence))
      await done
      return got.map((event) => event.sequence)
    }
    expect(await after(5)).toEqual([6, 7, 8])
    expect(await after(8)).toEqual([])
  })

  test('waits for a run that is not on record yet, and goes on where a closed one is retried', async () => {
    const { events, audit } = await setUp()
    const { got } = collect(events('b'))
    const say = runOf('b')
    const append = (...all: Parameters<typeof audit.append>[1]) => audit.append({ runId: 'b', sop: 'deploy' }, all)
    await append(say('run_created', created()), say('run_failed', { reason: 'no disk' }), say('run_retried', {}))
    await expect.poll(() => got.length, { timeout: 20_000 }).toBe(3)
    await append(say('run_started', { totalSteps: 2 }))
    await expect.poll(() => got.length, { timeout: 20_000 }).toBe(4)
  })

  test('misses nothing while events come as fast as they can', async () => {
    const { events, audit } = await setUp()
    const say = runOf('c')
    const readers = Array.from({ length: 20 }, () => collect(events('c')))
    await audit.append({ runId: 'c', sop: 'deploy' }, [say('run_created', created())])
    for (let n = 0; n < 200; n++)
      await audit.append({ runId: 'c', sop: 'deploy' }, [say('decision_refused', { decision: 'skip', reason: 'no' })])
    await audit.append({ runId: 'c', sop: 'deploy' }, [say('run_cancelled', { reason: 'over' })])
    await Promise.all(readers.map(({ done }) => done))
    for (const { got } of readers)
      expect(got.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 202 }, (_, i) => i + 1))
  })

  test('many readers cost one question at a time, and none once they have left', async () => {
    const { events, record, questions, abort, watch } = await setUp()
    await record('a', 2)
    const readers = Array.from({ length: 50 }, () => collect(events('a')))
    await expect.poll(() => readers.every(({ got }) => got.length === 2), { timeout: 20_000 }).toBe(true)
    const [before, from] = [questions(), performance.now()]
    await new Promise((resolve) => setTimeout(resolve, 400))
    // At most one every 30 ms, where each of the readers by itself would have asked as often.
    expect(questions() - before).toBeLessThanOrEqual((performance.now() - from) / 30 + 1)
    abort.abort()
    await Promise.all(readers.map(({ done }) => done))
    expect(watch.armed).toBe(0)
  })
})

describe('followChanges()', () => {
  test('says first where one begins, then which runs changed, as they are', async () => {
    const { changes, record } = await setUp()
    await record('a', 2)
    const { got } = collect(changes())
    await expect.poll(() => got.length, { timeout: 20_000 }).toBe(1)
    expect(got[0]).toMatchObject({ runs: [] })
    await record('b', 8)
    await expect.poll(() => got.length, { timeout: 20_000 }).toBe(2)
    expect(got[1]?.runs.map(({ runId, status }) => [runId, status])).toEqual([['b', 'completed']])
  })

  test('goes on after a cursor', async () => {
    const { changes, record } = await setUp()
    const { got } = collect(changes())
    await expect.poll(() => got.length, { timeout: 20_000 }).toBe(1)
    await record('a', 2)
    await record('b', 3)
    const again = collect(changes(got[0]?.cursor))
    await expect.poll(() => again.got.length, { timeout: 20_000 }).toBe(1)
    expect(again.got[0]?.runs.map(({ runId }) => runId)).toEqual(['a', 'b'])
  })
})

test('createChangeWatch() survives a store that is down', async () => {
  let isDown = true
  let runs: readonly { readonly runId: string }[] = []
  const watch = createChangeWatch({
    changes: async () => {
      if (isDown) throw new Error('down')
      return { runs: runs as never, cursor: 'c' }
    },
  })
  const wake = await watch.arm('a')
  let woken = false
  const waiting = wake.wait(new AbortController().signal).then(() => {
    woken = true
  })
  isDown = false
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect(woken).toBe(false)
  runs = [{ runId: 'a' }]
  await waiting
  wake.release()
})
