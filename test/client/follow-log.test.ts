import { describe, expect, onTestFinished, test } from 'vitest'
import type { LogKey } from '../../src/activities/deps.ts'
import { createFileLogs } from '../../src/adapters/file-logs.ts'
import type { LogChunk } from '../../src/client/client.ts'
import { followLogs } from '../../src/client/follow-log.ts'
import type { RunState } from '../../src/core/run/state.ts'
import { tempDir } from '../adapters/support/records.ts'
import { summarySample } from '../support/fake-client.ts'

const RUN = 'sop_run_1'

/** Real log files, and a run whose state the test sets; no worker answers. */
const setUp = () => {
  const logs = createFileLogs({ dataDir: tempDir() })
  const state: { status: RunState } = { status: 'running' }
  const abort = new AbortController()
  onTestFinished(() => abort.abort())
  const deps = {
    temporal: { connection: { withDeadline: () => Promise.reject(new Error('no worker')) } } as never,
    records: {
      logs,
      index: { get: async () => ({ ...summarySample, runId: RUN, status: state.status }) },
      audit: { read: async () => [] },
    } as never,
  }
  const open = async (executableId: LogKey['executableId'], attempt = 1) => {
    const writer = await logs.open({ runId: RUN, executableId, attempt })
    onTestFinished(() => writer.release())
    return { ...writer, say: (text: string) => writer.write(Buffer.from(text)) }
  }
  return {
    logs,
    state,
    abort,
    open,
    whole: async (executableId: LogKey['executableId'], text: string, attempt = 1) => {
      const writer = await open(executableId, attempt)
      await writer.say(text)
      await writer.close()
    },
    follow: (at: Parameters<typeof followLogs>[2] = {}) => {
      const got: LogChunk[] = []
      const done = (async () => {
        for await (const chunk of followLogs(deps, RUN, at, abort.signal)) got.push(chunk)
      })()
      return { got, done, texts: () => got.map(({ text }) => text) }
    },
  }
}

describe('followLogs()', () => {
  test('of a step waits for it, gives what comes, and ends with it', async () => {
    const { follow, open } = setUp()
    const { texts, done, got } = follow({ step: 1 })
    const writer = await open('step:1')
    await writer.say('one ')
    await expect.poll(texts, { timeout: 20_000 }).toEqual(['one '])
    await writer.say('two')
    await expect.poll(texts, { timeout: 20_000 }).toEqual(['one ', 'two'])
    await writer.close()
    await done
    expect(got.map(({ offset, next }) => [offset, next])).toEqual([
      [0, 4],
      [4, 7],
    ])
  })

  test('of a run goes on from step to step, also past one that began and ended between two looks', async () => {
    const { follow, open, whole, state } = setUp()
    await whole('step:1', 'before')
    const second = await open('step:2')
    const { texts, done } = follow()
    await second.say('two')
    // It begins with what is the newest when it looks first.
    await expect.poll(texts, { timeout: 20_000 }).toEqual(['two'])
    await second.close()
    await whole('step:3', 'three')
    await whole('verify:3', 'checked')
    await whole('step:4', 'four')
    await expect.poll(texts, { timeout: 20_000 }).toEqual(['two', 'three', 'checked', 'four'])
    state.status = 'completed'
    await done
    expect(texts()).toHaveLength(4)
  })

  test('shows a branch that is under way beside the newest one', async () => {
    const { follow, open, whole, state } = setUp()
    await whole('step:1', 'over')
    const slow = await open('step:2')
    await slow.say('slow')
    await whole('step:3', 'newest')
    const { texts, done } = follow()
    await expect.poll(texts, { timeout: 20_000 }).toEqual(['newest', 'slow'])
    await slow.say(' and steady')
    await slow.close()
    state.status = 'completed'
    await done
    expect(texts()).toEqual(['newest', 'slow', ' and steady'])
  })

  test('shows further attempts of a step', async () => {
    const { follow, whole, state } = setUp()
    await whole('step:2', 'first')
    const { texts, done } = follow()
    await expect.poll(texts, { timeout: 20_000 }).toEqual(['first'])
    await whole('step:2', 'second', 2)
    await expect.poll(texts, { timeout: 20_000 }).toEqual(['first', 'second'])
    state.status = 'failed'
    await done
  })

  test.each([
    ['step:1', { step: 1, attempt: 1, source: 'step', offset: 3 }, ['cde', 'two']],
    ['step:1 at its end', { step: 1, attempt: 1, source: 'step', offset: 6 }, ['two']],
    ['a gate', { step: 0, attempt: 1, source: 'pre_check', offset: 1 }, ['ate', 'abccde', 'two']],
  ])('resumes after a piece of %s', async (_, after, texts) => {
    const { follow, whole, state } = setUp()
    await whole('gate:pre_check', 'gate')
    await whole('step:1', 'abccde')
    await whole('step:2', 'two')
    state.status = 'completed'
    const { got, done } = follow({ after })
    await done
    expect(got.map(({ text }) => text)).toEqual(texts)
  })

  test('a log that its writer never closed ends with the run', async () => {
    const { follow, open, state } = setUp()
    const writer = await open('step:1')
    await writer.say('half')
    const { texts, done } = follow({ step: 1 })
    await expect.poll(texts, { timeout: 20_000 }).toEqual(['half'])
    await writer.say(' and the rest')
    state.status = 'failed'
    await done
    expect(texts().join('')).toBe('half and the rest')
  })

  test('of a closed run without logs ends at once, and of one whose logs were removed says so', async () => {
    const { follow, state, logs } = setUp()
    state.status = 'cancelled'
    await follow().done
    await logs.remove(RUN, { removedAt: '2026-06-01T00:00:00.000Z', bytes: 1, reason: 'logs are kept for 90 days' })
    await expect(follow({ step: 1 }).done).rejects.toMatchObject({
      code: 'not_found',
      message:
        'Cannot read the log of run "sop_run_1": its logs were removed on 2026-06-01, since logs are kept for 90 days. Its record stays: sop audit sop_run_1',
    })
  })

  test('ends when it is told to', async () => {
    const { follow, abort, open } = setUp()
    await open('step:1')
    const { done } = follow()
    abort.abort()
    await done
  })
})
