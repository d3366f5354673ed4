import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openInstallationKey } from '../../src/client/signing.ts'
import type { SopDefinition } from '../../src/core/definition.ts'
import { executablesOf } from '../../src/core/executables.ts'
import { verifySeal } from '../../src/core/seal.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sop key '))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const definition: SopDefinition = {
  format: 1,
  name: 'a',
  title: 'A',
  description: '',
  version: '1.0.0',
  priority: 'normal',
  cooldownMs: 0,
  admission: 'queue',
  triggers: [],
  dialect: 'A',
  steps: [
    {
      number: 1,
      slug: 'a',
      title: 'A',
      action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'true' }] },
    },
    {
      number: 2,
      slug: 'b',
      title: 'B',
      action: { kind: 'shell', commands: [{ interpreter: 'bash', script: 'true' }] },
    },
  ],
}

describe('the key file', () => {
  test('is made once, for the owner alone, and read afterwards', async () => {
    const first = await openInstallationKey(join(dir, 'new', 'data'))
    const again = await openInstallationKey(join(dir, 'new', 'data'))
    expect(again.authority).toBe(first.authority)
    expect(Buffer.from(first.authority, 'base64')).toHaveLength(32)
    const path = join(dir, 'new', 'data', 'installation.key')
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readFile(path, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----/)
    expect(await readdir(join(dir, 'new', 'data'))).toEqual(['installation.key'])
  })
  test('is one, however many start at once or shortly after one another', async () => {
    const start = async (at: number, folder: string) => {
      for (let turn = 0; turn < at; turn++) await new Promise(setImmediate)
      return openInstallationKey(folder)
    }
    for (let round = 0; round < 10; round++) {
      const folder = join(dir, String(round))
      const keys = await Promise.all(Array.from({ length: 20 }, (_, at) => start(at, folder)))
      expect(new Set(keys.map((key) => key.authority)).size).toBe(1)
      expect(await readdir(folder)).toEqual(['installation.key'])
    }
  })
  test('two installations have two', async () => {
    const other = await openInstallationKey(join(dir, 'other'))
    expect(other.authority).not.toBe((await openInstallationKey(dir)).authority)
  })
  test.each(['', 'nonsense', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'])(
    'that holds %j is refused',
    async (text) => {
      await writeFile(join(dir, 'installation.key'), text)
      await expect(openInstallationKey(dir)).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('installation.key'),
      })
    },
  )
  test('with a key of another kind is refused', async () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'pem', type: 'pkcs8' })
    await writeFile(join(dir, 'installation.key'), rsa)
    await expect(openInstallationKey(dir)).rejects.toThrow(/it is rsa, and Ed25519 is needed/)
  })
  test('where no file can be is unavailable', async () => {
    await writeFile(join(dir, 'file'), '')
    await expect(openInstallationKey(join(dir, 'file'))).rejects.toMatchObject({ code: 'unavailable' })
  })
})

describe('a key from the options', () => {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  test('is used as it is, on one line too, and no file is made', async () => {
    const key = await openInstallationKey(dir, { pem })
    const oneLine = await openInstallationKey(dir, { pem: pem.replaceAll('\n', '\\n') })
    expect(oneLine.authority).toBe(key.authority)
    expect(await readdir(dir)).toEqual([])
  })
  test('that is none is refused by its name', async () => {
    await expect(openInstallationKey(dir, { pem: 'x' })).rejects.toThrow(/SOP_INSTALLATION_KEY/)
  })
  test('that is empty counts as none', async () => {
    await openInstallationKey(dir, { pem: ' ' })
    expect(await readdir(dir)).toEqual(['installation.key'])
  })
})

describe('signatures', () => {
  test('a seal is one that a run takes', async () => {
    const key = await openInstallationKey(dir)
    expect(verifySeal(key.authority, 'ünï 🚀', key.seal('ünï 🚀'))).toBe(true)
    expect(verifySeal(key.authority, 'other', key.seal('ünï 🚀'))).toBe(false)
  })
  test('a warrant holds for its executable, id and digest only', async () => {
    const key = await openInstallationKey(dir)
    const other = await openInstallationKey(join(dir, 'other'))
    const warrants = key.warrantsFor(definition, 'd1')
    expect(Object.keys(warrants)).toEqual(['step:1', 'step:2'])
    const executable = executablesOf(definition)['step:1']
    const warrant = { digest: 'd1', executableId: 'step:1', executable, warrant: warrants['step:1'] ?? '' } as const
    expect(key.verifyWarrant(warrant)).toBe(true)
    expect(key.verifyWarrant(JSON.parse(JSON.stringify(warrant)) as typeof warrant)).toBe(true)
    expect(other.verifyWarrant(warrant)).toBe(false)
    expect(key.verifyWarrant({ ...warrant, digest: 'd2' })).toBe(false)
    expect(key.verifyWarrant({ ...warrant, executableId: 'step:2' })).toBe(false)
    expect(key.verifyWarrant({ ...warrant, executableId: 'rollback:1' })).toBe(false)
    expect(key.verifyWarrant({ ...warrant, executable: { ...executable, cwd: '/' } })).toBe(false)
    expect(key.verifyWarrant({ ...warrant, warrant: warrants['step:2'] ?? '' })).toBe(false)
    expect(key.verifyWarrant({ ...warrant, warrant: key.seal('x') })).toBe(false)
    expect(key.warrantsFor(definition, 'd1')).toBe(warrants)
  })
  test.each([undefined, null, 1, '', {}, 'x'])('a warrant that is %j is not one', async (warrant) => {
    const key = await openInstallationKey(dir)
    expect(key.verifyWarrant({ digest: 'd', executableId: 'step:1', executable: {}, warrant: warrant as string })).toBe(
      false,
    )
  })
})
