import { describe, expect, test } from 'vitest'
import type { LogKey } from '../../src/activities/deps.ts'
import { createFileLogs } from '../../src/adapters/file-logs.ts'
import type { RunState } from '../../src/core/run/state.ts'
import { limitLogs } from '../../src/worker/limited-logs.ts'
import { createLogKeeper } from '../../src/worker/log-keeper.ts'
import { tempDir } from '../adapters/support/records.ts'
import { summarySample } from '../support/fake-client.ts'

const DAY_MS = 86_400_000
const key = (runId: string): LogKey => ({ runId, executableId: 'step:1', attempt: 1 })

const setUp = (totalBytes?: number) => {
  const files = createFileLogs({ dataDir: tempDir() })
  const runs = new Map<string, { status: RunState; completedAt?: string }>()
  const lines: string[] = []
  // Ahead of the clock of the file system, which dates what is written.
  let nowMs = Date.now()
  const now = (): Date => new Date(nowMs)
  const limits = totalBytes === undefined ? {} : { totalBytes }
  const keeper = createLogKeeper({
    logs: files,
    index: {
      get: async (runId) => {
        const run = runs.get(runId)
        const { completedAt: _, ...rest } = summarySample
        return run === undefined ? undefined : { ...rest, runId, ...run }
      },
    },
    retention: { days: 90, ...limits },
    now,
    log: { info: (message) => void lines.push(message), warn: (message) => void lines.push(message) },
  })
  const logs = limitLogs(files, { ...limits, budget: keeper.budget, now })
  return {
    logs,
    keeper,
    lines,
    pass: (days: number) => {
      nowMs += days * DAY_MS
    },
    write: async (runId: string, bytes: number, status: RunState | undefined) => {
      const writer = await logs.open(key(runId))
      await writer.write(Buffer.alloc(bytes, 'x'))
      await writer.close()
      if (status === undefined) return
      const closed = status === 'completed' ? { completedAt: new Date(nowMs).toISOString() } : {}
      runs.set(runId, { status, ...closed })
    },
    left: async () => (await logs.usage()).map(({ runId }) => runId).sort(),
  }
}

describe('createLogKeeper()', () => {
  test('removes logs of runs that ended long ago, says why, and leaves those of open runs', async () => {
    const { logs, keeper, write, pass, left, lines } = setUp()
    await write('done', 5, 'completed')
    await write('parked', 5, 'paused')
    await write('unknown', 5, undefined)
    pass(89)
    await keeper.sweep()
    expect(await left()).toEqual(['done', 'parked', 'unknown'])
    pass(2)
    await keeper.sweep()
    expect(await left()).toEqual(['parked'])
    expect(await logs.removal('done')).toMatchObject({
      bytes: 5,
      reason: 'logs are kept for 90 days after their run (log_retention_days)',
    })
    expect(lines).toEqual(['removed logs of closed runs'])
  })

  test('makes room before it lets a log be cut', async () => {
    const { keeper, write, pass, left } = setUp(1000)
    await write('first', 500, 'completed')
    pass(1)
    await write('second', 450, 'completed')
    // Above nine tenths: the next write asks for room, and a sweep removes what ended first.
    await write('third', 10, 'running')
    await keeper.sweep()
    await keeper.close()
    pass(1)
    expect(await left()).toEqual(['first', 'second', 'third'])
    await write('fourth', 60, 'running')
    await keeper.sweep()
    expect(await left()).toEqual(['fourth', 'second', 'third'])
  })

  test('cuts the logs of open runs where nothing is left to remove', async () => {
    const { logs, write, left } = setUp(1000)
    await write('one', 900, 'running')
    await write('two', 500, 'running')
    expect(await left()).toEqual(['one', 'two'])
    expect(await logs.read(key('two'), 0, 1)).toMatchObject({ cutBytes: 0 })
    const { bytes } = await logs.read(key('two'), 0, 400)
    expect(Buffer.from(bytes).toString()).toContain('all logs together have reached 1000 bytes (log_limit_total)')
  })

  test('counts what is there already, and a run of which nobody knows yet as an open one', async () => {
    const { logs, keeper, write, left } = setUp(1000)
    await write('new', 990, undefined)
    await keeper.sweep()
    await keeper.sweep()
    expect(await left()).toEqual(['new'])
    await write('next', 100, 'running')
    expect(await logs.read(key('next'), 0, 1)).toHaveProperty('cutBytes')
  })

  test('a store that fails is told of and stops nobody', async () => {
    const lines: string[] = []
    const keeper = createLogKeeper({
      logs: { usage: () => Promise.reject(new Error('no disk')) } as never,
      index: { get: async () => undefined },
      retention: { days: 1 },
      now: () => new Date(),
      log: { info: () => {}, warn: (message) => void lines.push(message) },
    })
    await keeper.sweep()
    expect(lines).toEqual(['logs cannot be swept'])
  })
})
