import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createFileVault } from '../../src/adapters/file-vault.ts'
import { describeVault } from './contract/vault.ts'
import { tempDir } from './support/records.ts'

describeVault('createFileVault()', () => {
  const dataDir = tempDir()
  return { vault: createFileVault({ dataDir }), again: () => createFileVault({ dataDir }) }
})

test('its files are for their owner, and go with the run', async () => {
  const dataDir = tempDir()
  const vault = createFileVault({ dataDir })
  await vault.put('a/b', 'pin', '1234')
  await vault.put('a/b', '../pin', '5678')
  const folder = join(dataDir, 'vault', 'a%2Fb')
  expect(statSync(folder).mode & 0o777).toBe(0o700)
  expect(readdirSync(folder)).toHaveLength(2)
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
  await vault.drop('a/b')
  expect(readdirSync(join(dataDir, 'vault'))).toEqual([])
})
