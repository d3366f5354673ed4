import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { openDataDir, openWorkerDir } from '../../src/engine/data-dir.ts'
import { engineFilePath, readEngineFile, removeEngineFile, writeEngineFile } from '../../src/engine/engine-file.ts'
import { tryLock } from '../../src/engine/file-lock.ts'
import { endProcess, identifyProcess, isAlive } from '../../src/engine/process-identity.ts'

const folders: string[] = []
const folder = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'sop data-'))
  folders.push(path)
  return path
}
afterEach(async () => {
  for (const path of folders.splice(0)) await rm(path, { recursive: true, force: true })
})

const sleeper = async () => {
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(child.stdout, 'data')
  return child
}

describe('openDataDir()', () => {
  test('makes a directory that only its owner can read', async () => {
    const path = join(await folder(), 'a b', 'data')
    const dir = await openDataDir(path)
    expect((await stat(path)).mode & 0o777).toBe(0o700)
    expect((await stat(dir.temporalDir)).isDirectory()).toBe(true)
    await dir.close()
    expect(await readdir(path)).toEqual(['temporal'])
  })

  test('refuses a second engine and names the first', async () => {
    const path = await folder()
    const dir = await openDataDir(path)
    await writeEngineFile(path, anEngine)
    await expect(openDataDir(path)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(
        new RegExp(`the engine with pid ${process.pid} uses it and answers at http://x:1\\. .*SOP_DATA_DIR`),
      ),
    })
    await dir.close()
    await (await openDataDir(path)).close()
  })

  test('lets one of many that start at once have it, also over a stale lock', async () => {
    const path = await folder()
    const stale = JSON.stringify({ pid: 999_999_999, startedAt: 'x', host: hostname(), token: 't' })
    for (let round = 0; round < 40; round++) {
      await writeFile(join(path, 'engine.lock'), stale)
      const all = await Promise.allSettled(Array.from({ length: 20 }, () => openDataDir(path)))
      const won = all.filter((one) => one.status === 'fulfilled')
      expect(won).toHaveLength(1)
      await won[0]?.value.close()
      expect(await readdir(path)).toEqual(['temporal'])
    }
  })

  test('says at once that it cannot write where a file system takes no folder', async () => {
    const { status } = spawnSync('test', ['-d', '/proc'])
    const nowhere = status === 0 ? '/proc/sop data/deep' : '/dev/null/sop data'
    await expect(openDataDir(nowhere)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /Cannot write data directory .*: (no folder can be made there|a part of the path is a file)/,
      ),
    })
  })

  test('makes the folders above it as well, for its owner alone', async () => {
    const top = await folder()
    const path = join(top, 'a', 'b', 'data')
    await (await openDataDir(path)).close()
    for (const each of [path, join(top, 'a')]) expect((await stat(each)).mode & 0o777).toBe(0o700)
  })

  test.each([
    ['a file', ''],
    ['below a file', '/below'],
  ])('says why it cannot write when the path is %s', async (_, rest) => {
    const file = join(await folder(), 'file')
    await writeFile(file, '')
    await expect(openDataDir(file + rest)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /^Cannot write data directory ".*": (it is a file|a part of the path is a file)\. .*SOP_DATA_DIR/,
      ),
    })
  })

  test('names the folder of a worker, and its own way out', async () => {
    const file = join(await folder(), 'file')
    await writeFile(file, '')
    await expect(openWorkerDir(file)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^Cannot write worker folder ".*": .*SOP_WORKER_DIR$/),
      details: { workerDir: file },
    })
  })

  test('says that this user may not write there', async () => {
    // Root may write everywhere but in the kernel's own tree.
    const closed = process.getuid?.() === 0 ? '/sys/sop-engine-test' : '/sop-engine-test'
    await expect(openDataDir(closed)).rejects.toThrow('this user may not write there')
  })
})

describe('tryLock()', () => {
  test('takes over the lock of a killed process', async () => {
    const path = join(await folder(), 'lock')
    const child = await sleeper()
    const holder = { ...(await identifyProcess(child.pid ?? 0)), host: hostname(), token: 't' }
    await writeFile(path, JSON.stringify(holder))
    expect(await tryLock(path)).toMatchObject({ held: false, holder: { pid: child.pid } })
    child.kill('SIGKILL')
    await once(child, 'exit')
    const attempt = await tryLock(path)
    expect(attempt.held).toBe(true)
  })

  test('takes over a lock whose pid belongs to another process by now', async () => {
    const path = join(await folder(), 'lock')
    await writeFile(path, JSON.stringify({ pid: process.pid, startedAt: 'long ago', host: hostname(), token: 't' }))
    expect((await tryLock(path)).held).toBe(true)
  })

  test('respects a lock from another host until it has been silent for half a minute', async () => {
    const path = join(await folder(), 'lock')
    await writeFile(path, JSON.stringify({ pid: 1, startedAt: 'x', host: 'elsewhere', token: 't' }))
    expect(await tryLock(path)).toMatchObject({ held: false, holder: { host: 'elsewhere' } })
    const silentSince = new Date(Date.now() - 31_000)
    await utimes(path, silentSince, silentSince)
    expect((await tryLock(path)).held).toBe(true)
  })

  test('goes on where one died while it took over from another', async () => {
    const path = join(await folder(), 'lock')
    const dead = (token: string) => JSON.stringify({ pid: 999_999_999, startedAt: 'x', host: hostname(), token })
    await writeFile(path, dead('a'))
    await writeFile(`${path}.a`, dead('b'))
    const all = await Promise.all(Array.from({ length: 20 }, () => tryLock(path)))
    expect(all.filter(({ held }) => held)).toHaveLength(1)
    expect(await readdir(join(path, '..'))).toEqual(['lock'])
  })

  test('takes over a file that no engine wrote once it is half a minute old', async () => {
    const path = join(await folder(), 'lock')
    await writeFile(path, '{"pid":')
    expect(await tryLock(path)).toEqual({ held: false, holder: undefined })
    const silentSince = new Date(Date.now() - 31_000)
    await utimes(path, silentSince, silentSince)
    const all = await Promise.all(Array.from({ length: 20 }, () => tryLock(path)))
    expect(all.filter(({ held }) => held)).toHaveLength(1)
  })

  test('releases only its own lock', async () => {
    const path = join(await folder(), 'lock')
    const attempt = await tryLock(path)
    const foreign = JSON.stringify({ pid: process.pid, startedAt: 'x', host: hostname(), token: 'other' })
    await writeFile(path, foreign)
    if (attempt.held) await attempt.release()
    expect(await readFile(path, 'utf8')).toBe(foreign)
  })
})

const anEngine = {
  url: 'http://x:1',
  startedAt: '2026-01-01T00:00:00.000Z',
  version: '1.0.0',
  tokenPath: '/t',
  temporal: { address: '127.0.0.1:1', namespace: 'default' },
}

describe('readEngineFile()', () => {
  test('finds the running engine', async () => {
    const path = await folder()
    const engine = await writeEngineFile(path, anEngine)
    expect(await readEngineFile(path)).toEqual({ state: 'running', engine })
    expect(engine).toMatchObject({ ...anEngine, pid: process.pid })
    expect((await stat(engineFilePath(path))).mode & 0o777).toBe(0o600)
    await removeEngineFile(path)
    expect(await readEngineFile(path)).toEqual({ state: 'absent' })
  })

  test('tells the file of a killed engine from a living one, also when its pid runs again', async () => {
    const path = await folder()
    const engine = await writeEngineFile(path, anEngine)
    await writeFile(engineFilePath(path), JSON.stringify({ ...engine, processStartedAt: 'earlier' }))
    expect(await readEngineFile(path)).toMatchObject({ state: 'stale', engine: { url: 'http://x:1' } })
  })

  test.each(['', '{', 'null', '[]', '{"url":1}', '{"pid":1,"url":"x"}'])('takes %j for no engine', async (text) => {
    const path = await folder()
    await writeFile(engineFilePath(path), text)
    expect(await readEngineFile(path)).toEqual({ state: 'absent' })
  })
})

describe('endProcess()', () => {
  test('ends a process that ignores TERM', async () => {
    const script = 'process.on("SIGTERM", () => {}); console.log(1); setInterval(() => {}, 1000)'
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'ignore'] })
    await once(child.stdout, 'data')
    const identity = await identifyProcess(child.pid ?? 0)
    if (identity === undefined) throw new Error('the child does not run')
    const exited = once(child, 'exit')
    await endProcess(identity, 100)
    expect(await isAlive(identity)).toBe(false)
    await exited
    expect(child.signalCode).toBe('SIGKILL')
  })

  test('leaves a process alone that only has the pid', async () => {
    const child = await sleeper()
    await endProcess({ pid: child.pid ?? 0, startedAt: 'another' }, 10)
    expect(await identifyProcess(child.pid ?? 0)).toBeDefined()
    child.kill('SIGKILL')
  })
})
