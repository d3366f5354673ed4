import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createFileVault } from '../../src/adapters/file-vault.ts'
import { tempDir } from './support/records.ts'

test('values are kept for a run, readable by the owner alone, until it is dropped', async () => {
  const dataDir = tempDir()
  const vault = createFileVault({ dataDir })
  await vault.put('a/b', 'pin', '1234')
  await vault.put('a/b', '../pin', 'two\nlines\n')
  await vault.put('other', 'pin', '5678')
  await vault.put('a/b', 'pin', '4321')
  expect(await createFileVault({ dataDir }).get('a/b', 'pin')).toBe('4321')
  expect(await vault.get('a/b', '../pin')).toBe('two\nlines\n')
  expect(await vault.get('a/b', 'nope')).toBeUndefined()
  const folder = join(dataDir, 'vault', 'a%2Fb')
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
  await vault.drop('a/b')
  await vault.drop('a/b')
  expect(await vault.get('a/b', 'pin')).toBeUndefined()
  expect(await vault.get('other', 'pin')).toBe('5678')
})
