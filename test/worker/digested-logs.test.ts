import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import type { LogKey, LogStore } from '../../src/activities/deps.ts'
import { createFileLogs } from '../../src/adapters/file-logs.ts'
import { digestLogs } from '../../src/worker/digested-logs.ts'
import { holdLogs } from '../../src/worker/held-logs.ts'
import { limitLogs } from '../../src/worker/limited-logs.ts'
import { tempDir } from '../adapters/support/records.ts'

const KEY: LogKey = { runId: 'sop_run_1', executableId: 'step:1', attempt: 1 }
const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const written = async (logs: LogStore, ...parts: readonly string[]) => {
  const writer = await logs.open(KEY)
  for (const part of parts) await writer.write(Buffer.from(part))
  return writer.close()
}

test('a log is closed with the digest of what it has', async () => {
  const logs = digestLogs(createFileLogs({ dataDir: tempDir() }))
  expect(await written(logs, 'hello ', 'wörld')).toEqual({ bytes: 12, sha256: sha256('hello wörld') })
})

test('one that is gone on with has the digest of all of it', async () => {
  const logs = digestLogs(createFileLogs({ dataDir: tempDir() }))
  const long = 'x'.repeat(300_000)
  await written(logs, long)
  expect(await written(logs, ' and on')).toEqual({ bytes: 300_007, sha256: sha256(`${long} and on`) })
})

test('of one that was cut at its limit it is the digest of what is kept', async () => {
  const files = createFileLogs({ dataDir: tempDir() })
  const budget = { room: () => 1_000, take: () => {} }
  const logs = limitLogs(digestLogs(files), { perStepBytes: 10, budget, now: () => new Date() })
  const { sha256: digest, bytes } = await written(logs, '12345', '67890abc', 'lost')
  const stored = (await files.read(KEY, 0, 10_000)).bytes
  expect([digest, bytes]).toEqual([sha256(stored), stored.length])
})

test('what waits beside a store that is down has its digest, and is not said to be stored', async () => {
  const files = createFileLogs({ dataDir: tempDir() })
  let isDown = false
  const failing: LogStore = {
    ...files,
    open: async (key) => {
      const writer = await files.open(key)
      return {
        ...writer,
        write: async (bytes) => {
          if (isDown) throw new Error('no space')
          await writer.write(bytes)
        },
      }
    },
  }
  const held = holdLogs({ logs: failing, dir: tempDir(), warn: () => {}, retryMs: 3_600_000 })
  const writer = await digestLogs(held.store).open(KEY)
  await writer.write(Buffer.from('one '))
  isDown = true
  await writer.write(Buffer.from('two'))
  expect(await writer.close()).toEqual({ bytes: 7, sha256: sha256('one two'), isPending: true })
  await held.close()
})

test('nothing is said of a log of which nobody knows what it has', async () => {
  const files = createFileLogs({ dataDir: tempDir() })
  let [writes, reads] = [0, 0]
  const logs = digestLogs({
    ...files,
    read: async (...asked) => {
      reads++
      if (reads > 1) throw new Error('unreadable')
      return files.read(...asked)
    },
    open: async (key) => {
      const writer = await files.open(key)
      return {
        ...writer,
        write: async (bytes) => {
          writes++
          if (writes === 2) throw new Error('no space')
          await writer.write(bytes)
        },
      }
    },
  })
  const writer = await logs.open(KEY)
  await writer.write(Buffer.from('a'))
  await expect(writer.write(Buffer.from('b'))).rejects.toThrow('no space')
  await writer.write(Buffer.from('c'))
  expect(await writer.close()).toEqual({ bytes: 2 })
  expect(await written(logs, 'd')).toMatchObject({ sha256: sha256('acd') })
  expect(await written(logs, 'e')).toEqual({ bytes: 4 })
})
