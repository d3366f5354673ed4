import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openFileTraceCursors } from '../../src/adapters/file-trace-cursors.ts'
import { describeTraceCursors } from './contract/trace-cursors.ts'
import { tempDir } from './support/records.ts'

describeTraceCursors('openFileTraceCursors()', async () => {
  const dataDir = tempDir()
  return { cursors: await openFileTraceCursors({ dataDir }), again: () => openFileTraceCursors({ dataDir }) }
})

test('openFileTraceCursors() passes over a row that is half written, and keeps its file small', async () => {
  const dataDir = tempDir()
  const path = join(dataDir, 'traces', 'cursors.jsonl')
  const cursors = await openFileTraceCursors({ dataDir })
  const begun = await cursors.begun('2026-03-01T00:00:00.000Z')
  for (let sequence = 1; sequence <= 2100; sequence++) await cursors.set([{ runId: 'a', sequence }])
  expect(readFileSync(path, 'utf8').split('\n').length).toBeLessThan(2000)
  appendFileSync(path, '{"run":"a","sequ')
  const again = await openFileTraceCursors({ dataDir })
  expect([await again.get(['a']), await again.begun('x')]).toEqual([new Map([['a', 2100]]), begun])
})
