import { request } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import type { LogKey } from '../../src/activities/deps.ts'
import { createFileLogs } from '../../src/adapters/file-logs.ts'
import { followLogs } from '../../src/client/follow-log.ts'
import { tempDir } from '../adapters/support/records.ts'
import { fakeClient, summarySample } from '../support/fake-client.ts'
import { testApi } from '../support/test-api.ts'

const MIB = 1024 * 1024
const SIZE = 128 * MIB
const KEY: LogKey = { runId: 'sop_run_1', executableId: 'step:1', attempt: 1 }

test('a log that is streamed costs no memory, however long it is', async () => {
  const logs = createFileLogs({ dataDir: tempDir() })
  const writer = await logs.open(KEY)
  const block = Buffer.from('a line of the log of a step that prints very much\n'.repeat(20_972)).subarray(0, MIB)
  for (let written = 0; written < SIZE; written += block.length) await writer.write(block)
  await writer.close()
  const index = { get: async () => ({ ...summarySample, status: 'completed' }) }
  const deps = { temporal: {}, records: { logs, index } } as never
  const client = fakeClient({
    followLog: (_run, { signal = new AbortController().signal, ...at } = {}) => followLogs(deps, KEY.runId, at, signal),
  })
  const api = await testApi({ client })
  let received = 0
  let largest = 0
  let tail = ''
  const before = process.memoryUsage().rss
  await new Promise<void>((resolve, reject) => {
    const outgoing = request(
      `${api.url}/api/v1/runs/x/logs?follow&step=1`,
      { agent: false, headers: { Authorization: `Bearer ${api.local}` } },
      (incoming) => {
        incoming.on('data', (piece: Buffer) => {
          received += piece.length
          largest = Math.max(largest, process.memoryUsage.rss())
          tail = (tail + piece.toString('latin1')).slice(-300)
        })
        incoming.on('end', resolve).on('error', reject)
      },
    )
    onTestFinished(() => void outgoing.destroy())
    outgoing.on('error', reject).end()
  })
  expect(received).toBeGreaterThan(SIZE)
  expect(tail).toMatch(/"complete":true\}\n\nevent: end\n/)
  expect(largest - before).toBeLessThan(100 * MIB)
})
