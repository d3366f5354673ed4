import { expect, test } from 'vitest'
import type { Vault } from '../../../src/activities/deps.ts'

/** What a test gets: a fresh vault, and the same one as another process opens it. */
export interface VaultRig {
  readonly vault: Vault
  readonly again: () => Vault
}

/** The laws of every vault; each adapter's test file calls it with its own way to open one. */
export const describeVault = (name: string, rig: () => Promise<VaultRig> | VaultRig): void => {
  test(`${name} keeps values for a run until it is dropped`, async () => {
    const { vault, again } = await rig()
    await vault.put('a/b', 'pin', '1234')
    await vault.put('a/b', '../pin', 'two\nlines\n')
    await vault.put('a/b', 'empty', '')
    await vault.put('other', 'pin', '5678')
    await vault.put('a/b', 'pin', '4321')
    expect(await again().get('a/b', 'pin')).toBe('4321')
    expect(await vault.get('a/b', '../pin')).toBe('two\nlines\n')
    expect(await vault.get('a/b', 'empty')).toBe('')
    expect(await vault.get('a/b', 'nope')).toBeUndefined()
    await vault.drop('a/b')
    await vault.drop('a/b')
    expect(await again().get('a/b', 'pin')).toBeUndefined()
    expect(await vault.get('other', 'pin')).toBe('5678')
  })

  test(`${name} keeps long values and any text`, async () => {
    const { vault, again } = await rig()
    for (const value of ['x'.repeat(200_000), 'ü 🚀\u0000\u0001', '\\x41', "'"]) {
      await vault.put('run', 'value', value)
      expect(await again().get('run', 'value')).toBe(value)
    }
  })
}
