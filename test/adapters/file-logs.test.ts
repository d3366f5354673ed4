import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { LogKey } from '../../src/activities/deps.ts'
import { createFileLogs } from '../../src/adapters/file-logs.ts'
import { tempDir } from './support/records.ts'

const KEY: LogKey = { runId: 'sop_run_1', executableId: 'step:1', attempt: 1 }
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

test('a log is read by offset, also while it is written', async () => {
  const dataDir = tempDir()
  const logs = createFileLogs({ dataDir })
  const writer = await logs.open(KEY)
  expect(await logs.read(KEY, 0, 10)).toEqual({ bytes: expect.objectContaining({ length: 0 }), end: 0 })
  await writer.write(Buffer.from('hello '))
  expect(text((await logs.read(KEY, 0, 100)).bytes)).toBe('hello ')
  await writer.write(Buffer.from('world'))
  const { bytes, end } = await createFileLogs({ dataDir }).read(KEY, 6, 3)
  expect([text(bytes), end]).toEqual(['wor', 11])
  expect((await logs.read(KEY, 11, 10)).bytes).toHaveLength(0)
  expect((await logs.read(KEY, 500, 10)).bytes).toHaveLength(0)
  expect(await writer.close()).toEqual({ bytes: 11 })
  expect(statSync(join(dataDir, 'logs', 'sop_run_1', 'step.1-1.log')).mode & 0o777).toBe(0o600)
})

test('a log that is opened again goes on', async () => {
  const logs = createFileLogs({ dataDir: tempDir() })
  for (const part of ['a', 'b']) {
    const writer = await logs.open(KEY)
    await writer.write(Buffer.from(part))
    await writer.close()
  }
  expect(text((await logs.read(KEY, 0, 10)).bytes)).toBe('ab')
})

test('what is not there is empty', async () => {
  const logs = createFileLogs({ dataDir: tempDir() })
  expect(await logs.read(KEY, 0, 10)).toEqual({ bytes: new Uint8Array(0), end: 0 })
  expect(await logs.list('nope')).toEqual([])
})

test('the logs of a run are listed as its steps stand', async () => {
  const logs = createFileLogs({ dataDir: tempDir() })
  const keys: [LogKey['executableId'], number][] = [
    ['gate:pre_check.it', 1],
    ['step:1', 1],
    ['verify:1', 1],
    ['step:1', 2],
    ['verify:1', 2],
    ['rollback:1', 2],
    ['step:2', 1],
    ['step:10', 1],
    ['gate:post_patch-1', 1],
  ]
  const wanted = keys.map(([executableId, attempt]) => ({ runId: 'a/b', executableId, attempt }))
  for (const key of [...wanted].reverse()) await (await logs.open(key)).close()
  expect(await logs.list('a/b')).toEqual(wanted)
})
