import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openInstallationKey } from '../../src/client/signing.ts'
import type { WorkerClient } from '../../src/client/worker-http.ts'
import { readConfig } from '../../src/config.ts'
import { executablesOf } from '../../src/core/executables.ts'
import type { ExecutableId } from '../../src/core/run/task.ts'
import { poolDeps } from '../../src/engine/pool-deps.ts'
import { pinAuthority } from '../../src/engine/pinned-authority.ts'
import { createFileLogs } from '../../src/adapters/file-logs.ts'
import { sopOf } from '../support/definitions.ts'

const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'sop-pool-deps-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}
const client = { secretParam: async (runId: string, name: string) => `${runId}:${name}` } as unknown as WorkerClient
const depsOf = (authority: string, name: string, labels: readonly string[] = []) =>
  poolDeps({
    config: readConfig({ env: {}, cwd: folder() }).config,
    env: {},
    pool: { name, labels },
    client,
    authority,
    logs: createFileLogs({ dataDir: folder() }),
  })

test('a worker runs what the installation signed for its pool and its labels, and nothing else', async () => {
  const key = await openInstallationKey(folder())
  const stranger = await openInstallationKey(folder())
  const sop = sopOf({ steps: [{ runsOn: 'dba' }, { runsOn: 'dba[eu]' }, { runsOn: 'web' }, {}] })
  const warrants = key.warrantsFor(sop, 'digest')
  const mayRun = (authority: string, labels: readonly string[]) => {
    const { verifyWarrant } = depsOf(authority, 'dba', labels)
    return Object.entries(executablesOf(sop)).map(([id, executable]) =>
      verifyWarrant({ digest: 'digest', executableId: id as ExecutableId, executable, warrant: warrants[id] ?? '' }),
    )
  }
  expect(mayRun(key.authority, [])).toEqual([true, false, false, false])
  expect(mayRun(key.authority, ['eu', 'ssd'])).toEqual([true, true, false, false])
  expect(mayRun(stranger.authority, ['eu'])).toEqual([false, false, false, false])
})

test('a worker records no event, so that it confirms none', async () => {
  const { audit, vault } = depsOf((await openInstallationKey(folder())).authority, 'dba')
  const events = [{ sequence: 7 }, { sequence: 8 }] as never
  expect(await audit.append({ runId: 'r', sop: 's' }, events)).toBe(6)
  expect(await vault.get('r', 'password')).toBe('r:password')
})

test('the key of the first contact is trusted, and no other one after it', async () => {
  const dir = folder()
  const url = 'http://engine'
  await pinAuthority(dir, { authority: 'one', url })
  await pinAuthority(dir, { authority: 'one', url: 'http://moved' })
  await expect(pinAuthority(dir, { authority: 'two', url })).rejects.toMatchObject({ code: 'conflict' })
})
