import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createFileState } from '../../src/adapters/file-state.ts'

const folder = async (): Promise<string> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'sop-state-'))
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }))
  return dataDir
}

test('createFileState() keeps the last of many values that are put at once, and leaves nothing else behind', async () => {
  const dataDir = await folder()
  const state = createFileState({ dataDir })
  expect(await state.get('a')).toBeUndefined()
  await Promise.all(Array.from({ length: 50 }, (_, at) => state.put('a', { at, filler: 'x'.repeat(at * 100) })))
  await state.put('b', [1])
  const again = createFileState({ dataDir })
  expect([await again.get('a'), await again.get('b')]).toMatchObject([{ at: 49 }, [1]])
  expect((await readdir(join(dataDir, 'triggers'))).sort()).toEqual(['a.json', 'b.json'])
})

test('createFileState() takes a damaged file for none', async () => {
  const dataDir = await folder()
  const state = createFileState({ dataDir })
  await state.put('a', 1)
  await writeFile(join(dataDir, 'triggers', 'a.json'), '{"half":')
  expect(await state.get('a')).toBeUndefined()
})
