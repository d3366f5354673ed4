import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createFileLogs } from '../../src/adapters/file-logs.ts'
import { describeLogStore } from './contract/log-store.ts'
import { tempDir } from './support/records.ts'

describeLogStore('createFileLogs()', () => {
  const dataDir = tempDir()
  return { logs: createFileLogs({ dataDir }), again: () => createFileLogs({ dataDir }) }
})

test('its files are for their owner, and read-only once they are closed', async () => {
  const dataDir = tempDir()
  const writer = await createFileLogs({ dataDir }).open({ runId: 'sop_run_1', executableId: 'step:1', attempt: 1 })
  const mode = (): number => statSync(join(dataDir, 'logs', 'sop_run_1', 'step.1-1.log')).mode & 0o777
  expect(mode()).toBe(0o600)
  await writer.close()
  expect(mode()).toBe(0o400)
})
