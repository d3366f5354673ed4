import { expect, test } from 'vitest'
import type { LogKey } from '../../src/activities/deps.ts'
import { createFileLogs } from '../../src/adapters/file-logs.ts'
import { KEPT_END_BYTES, limitLogs, type LogLimits } from '../../src/worker/limited-logs.ts'
import { tempDir } from '../adapters/support/records.ts'

const KEY: LogKey = { runId: 'sop_run_1', executableId: 'step:1', attempt: 1 }
const AT = new Date('2026-06-01T03:00:00.000Z')

const setUp = (limits: Partial<LogLimits> & { readonly room?: number }) => {
  const files = createFileLogs({ dataDir: tempDir() })
  let room = limits.room ?? Number.POSITIVE_INFINITY
  const budget = {
    room: () => room,
    take: (bytes: number) => {
      room = Math.max(0, room - bytes)
    },
  }
  const logs = limitLogs(files, { budget, now: () => AT, ...limits })
  const text = async (): Promise<string> => Buffer.from((await logs.read(KEY, 0, 10_000_000)).bytes).toString()
  const write = async (...parts: readonly string[]) => {
    const writer = await logs.open(KEY)
    for (const part of parts) await writer.write(Buffer.from(part))
    return writer
  }
  return { logs, text, write }
}

test('a log below its limit is what was written, and is not said to be cut', async () => {
  const { logs, text, write } = setUp({ perStepBytes: 10 })
  const writer = await write('12345', '67890')
  await writer.close()
  expect(await text()).toBe('1234567890')
  expect(await logs.read(KEY, 0, 1)).not.toHaveProperty('cutBytes')
})

test('at its limit a log says so at once, and its end follows when the step is over', async () => {
  const { logs, text, write } = setUp({ perStepBytes: 10 })
  const writer = await write('1234567\n', 'abcdef\n', 'lost?\n')
  const notice =
    '[sop] 2026-06-01T03:00:00.000Z This log is cut here: it has reached 10 bytes, the limit for one step (log_limit_per_step). The end of the output follows when the step is over\n'
  expect(await text()).toBe(`1234567\nab\n${notice}`)
  expect(await logs.read(KEY, 0, 1)).toMatchObject({ cutBytes: 0 })
  await writer.close()
  expect(await text()).toBe(`1234567\nab\n${notice}[sop] The last 11 bytes:\ncdef\nlost?\n`)
  expect(await logs.read(KEY, 0, 1)).toMatchObject({ cutBytes: 0, isClosed: true })
})

test('says how much is not kept, and keeps the end', async () => {
  const { logs, text, write } = setUp({ perStepBytes: 1000 })
  const writer = await write(...Array.from({ length: 100 }, () => 'x'.repeat(9_999) + '\n'), 'Error: no space left\n')
  await writer.close()
  const lost = 1_000_000 + 21 - 1000 - KEPT_END_BYTES
  const all = await text()
  expect(all).toContain(`\n[sop] 912 KiB (${lost} bytes) of output are not kept. The last 64 KiB:\n`)
  expect(all.endsWith('Error: no space left\n')).toBe(true)
  expect(all.length).toBeLessThan(1000 + 500 + KEPT_END_BYTES)
  expect(await logs.read(KEY, 0, 1)).toMatchObject({ cutBytes: lost })
})

test('a log that goes on after its worker died stays within the same limit, and its losses add up', async () => {
  const { logs, text, write } = setUp({ perStepBytes: 10 })
  await (await write('123456789', 'y'.repeat(KEPT_END_BYTES + 6))).close()
  expect(await logs.read(KEY, 0, 1)).toMatchObject({ cutBytes: 5 })
  await (await write('z'.repeat(KEPT_END_BYTES + 3))).close()
  expect(await logs.read(KEY, 0, 1)).toMatchObject({ cutBytes: 8 })
  expect((await text()).match(/This log is cut here/g)).toHaveLength(2)
})

test('says when all logs together leave no room', async () => {
  const { text, write } = setUp({ room: 4, totalBytes: 2048 })
  await (await write('abcdefgh')).close()
  expect(await text()).toContain(
    'abcd\n[sop] 2026-06-01T03:00:00.000Z This log is cut here: all logs together have reached 2 KiB',
  )
})
