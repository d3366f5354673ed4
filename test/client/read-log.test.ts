import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { readLog } from '../../src/client/read-log.ts'
import type { RecordedLog, RecordedPiece } from '../../src/client/records.ts'
import type { RunSummary, StepView } from '../../src/core/run/view.ts'
import { runSample, summarySample } from '../support/fake-client.ts'

const RUN = 'sop_run_1'
const STEP: RecordedLog = { runId: RUN, executableId: 'step:2', attempt: 1 }

interface Stored extends Omit<RecordedPiece, 'bytes' | 'end'> {
  readonly log: RecordedLog
  readonly bytes: Uint8Array
}

/** A store whose content the test changes; asking a worker counts, and fails as it does where none is. */
const setUp = (...stored: readonly Stored[]) => {
  const state = {
    stored: [...stored],
    status: 'running' as RunSummary['status'],
    asked: 0,
    onAsk: () => {},
    steps: [] as readonly StepView[],
  }
  const deps = {
    temporal: {
      connection: {
        withDeadline: async () => {
          state.asked += 1
          return { ...runSample, runId: RUN, status: 'running', stepResults: state.steps }
        },
      },
    } as never,
    records: {
      audit: {
        read: async () => [],
        readDefinition: async () => undefined,
        keepDefinition: async () => {},
        readSource: async () => undefined,
        removal: async () => undefined,
      },
      index: {
        list: async () => [],
        page: async () => ({ runs: [] }),
        versions: async () => [],
        changes: async () => ({ runs: [], cursor: '' }),
        get: async () => {
          state.onAsk()
          return { ...summarySample, runId: RUN, status: state.status }
        },
      },
      vault: { put: async () => {} },
      metrics: { cells: async () => [] },
      logs: {
        list: async () => state.stored.map(({ log }) => log),
        removal: async () => undefined,
        read: async (wanted: RecordedLog, offset: number, limit: number) => {
          const found = state.stored.find(
            ({ log }) => log.executableId === wanted.executableId && log.attempt === wanted.attempt,
          )
          if (found === undefined) return { bytes: new Uint8Array(0), end: 0 }
          const { bytes, log: _, ...rest } = found
          return { bytes: bytes.subarray(offset, offset + limit), end: bytes.length, ...rest }
        },
      },
    },
  }
  return { state, read: (at: Parameters<typeof readLog>[2] = {}) => readLog(deps, RUN, at) }
}
const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('readLog()', () => {
  test('asks nobody about a log that its writer closed', async () => {
    const { state, read } = setUp({ log: STEP, bytes: bytes('done\n'), isClosed: true })
    expect(await read({ step: 2 })).toEqual({
      runId: RUN,
      stepNumber: 2,
      attempt: 1,
      source: 'step',
      offset: 0,
      next: 5,
      text: 'done\n',
      complete: true,
    })
    expect(state.asked).toBe(0)
    expect(await read({ step: 2, offset: 5, waitMs: 10_000 })).toMatchObject({ text: '', complete: true })
  })

  test('a log that nobody closed is over with its run, and what came last is in the piece', async () => {
    const { state, read } = setUp({ log: STEP, bytes: bytes('one ') })
    state.status = 'failed'
    const [first] = state.stored
    state.onAsk = () => {
      state.stored = [{ ...(first as Stored), bytes: bytes('one two') }]
    }
    expect(await read({ step: 2 })).toMatchObject({ text: 'one two', complete: true })
  })

  test.each<[string, RecordedLog['executableId'], number, Partial<StepView>, boolean]>([
    ['that is over', 'step:2', 1, { status: 'failed', attempt: 1 }, true],
    ['before the present one', 'step:2', 1, { status: 'running', attempt: 2 }, true],
    ['that is under way', 'step:2', 2, { status: 'running', attempt: 2 }, false],
    ['that the view does not know of yet', 'step:2', 2, { status: 'failed', attempt: 1 }, false],
    ['of a verification that is over', 'verify:2', 1, { status: 'success', attempt: 1 }, true],
    ['of an undo, which only its writer ends', 'rollback:2', 1, { status: 'success', attempt: 1 }, false],
  ])('a log that nobody closed, of an attempt %s', async (_, executableId, attempt, step, complete) => {
    const { state, read } = setUp({ log: { ...STEP, executableId, attempt }, bytes: bytes('x') })
    state.steps = [{ ...(runSample.stepResults[0] as StepView), number: 2, ...step }]
    expect(await read({ step: 2, source: executableId.replace(/:.*/, '') })).toMatchObject({ complete })
  })

  test('waits for more, and no longer than asked', async () => {
    const { state, read } = setUp({ log: STEP, bytes: bytes('one ') })
    expect(await read({ step: 2, offset: 4 })).toMatchObject({ text: '', next: 4, complete: false })
    expect(await read({ step: 2, offset: 4, waitMs: 10 })).toMatchObject({ text: '', complete: false })
    let looks = 0
    state.onAsk = () => {
      if (++looks === 3) state.stored = [{ log: STEP, bytes: bytes('one two') }]
    }
    state.asked = 0
    // No second passes, however long the machine takes for the three looks.
    vi.useFakeTimers({ toFake: ['Date'] })
    onTestFinished(() => void vi.useRealTimers())
    expect(await read({ step: 2, offset: 4, waitMs: 20_000 })).toMatchObject({ text: 'two', complete: false })
    // The worker has more to do than to be asked at every look.
    expect(state.asked).toBe(1)
  })

  test('never cuts a character in two, and counts a byte order mark', async () => {
    const text = '\ufeffaä€😀'
    const all = bytes(text)
    const { read } = setUp({ log: STEP, bytes: all, isClosed: true })
    for (let limit = 4; limit <= all.length; limit++) {
      let [offset, joined] = [0, '']
      for (let turn = 0; turn < 20 && offset < all.length; turn++) {
        const chunk = await read({ step: 2, offset, limit })
        joined += chunk.text
        offset = chunk.next
      }
      expect([joined, offset]).toEqual([text, all.length])
    }
  })

  test('gives the bytes as they came where they are asked for, characters cut in two included', async () => {
    const all = Uint8Array.from([0xff, 0x00, 0xe2, 0x82, 0xac, 0x1b, 0xfe])
    const { read } = setUp({ log: STEP, bytes: all })
    const first = await read({ step: 2, limit: 4, encoding: 'base64' })
    expect(first).toMatchObject({ text: '', next: 4 })
    const rest = await read({ step: 2, offset: 4, encoding: 'base64' })
    const joined = [first, rest].map(({ base64 = '' }) => Buffer.from(base64, 'base64'))
    expect(Buffer.compare(Buffer.concat(joined), all)).toBe(0)
  })

  test('says that output is missing', async () => {
    const { read } = setUp({ log: STEP, bytes: bytes('x'), isClosed: true, cutBytes: 0 })
    expect(await read()).toMatchObject({ truncated: true })
  })
})
