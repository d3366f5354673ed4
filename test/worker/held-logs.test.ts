import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { LogKey, LogStore } from '../../src/activities/deps.ts'
import { createFileLogs } from '../../src/adapters/file-logs.ts'
import { SopError } from '../../src/core/errors.ts'
import { holdLogs } from '../../src/worker/held-logs.ts'
import { tempDir } from '../adapters/support/records.ts'

// held-logs.test.ts: nothing of what a step prints is lost while its store is away.

const KEY: LogKey = { runId: 'sop_run_1', executableId: 'step:1', attempt: 1 }
const bytes = (text: string): Uint8Array => Buffer.from(text)

const world = ({ limitBytes, dataDir = tempDir() }: { limitBytes?: number; dataDir?: string } = {}) => {
  const state = { isDown: false, partial: 0 }
  const files = createFileLogs({ dataDir })
  const check = (): void => {
    if (state.isDown) throw new SopError('unavailable', 'the database does not answer')
  }
  const logs: LogStore = {
    ...files,
    open: async (key) => {
      check()
      const writer = await files.open(key)
      return {
        ...writer,
        write: async (piece) => {
          // As a disk that becomes full: a part of it gets there.
          if (state.isDown && state.partial > 0) await writer.write(piece.subarray(0, state.partial))
          check()
          return writer.write(piece)
        },
        close: async () => {
          check()
          return writer.close()
        },
      }
    },
  }
  const dir = join(dataDir, 'held-logs')
  const open = () =>
    holdLogs({ logs, dir, warn: () => {}, retryMs: 5, ...(limitBytes !== undefined && { limitBytes }) })
  const held = open()
  onTestFinished(() => held.close())
  const text = async (): Promise<string> => Buffer.from((await files.read(KEY, 0, 1e6)).bytes).toString()
  return { state, files, held, open, dir, dataDir, text }
}
/** The default of a second is less than a machine may stand still for. */
const PATIENCE = { timeout: 20_000 }
const brought = (text: () => Promise<string>, whole: string) => expect.poll(text, PATIENCE).toBe(whole)

test('a store that is there gets what is written, and nothing is kept beside it', async () => {
  const { held, text, dir } = world()
  const writer = await held.store.open(KEY)
  await writer.write(bytes('one\n'))
  expect(await writer.close()).toEqual({ bytes: 4 })
  expect(await text()).toBe('one\n')
  expect(() => readdirSync(dir)).toThrow()
  expect(held.state()).toEqual({ runs: 0, waiting: 0 })
})

describe('while the store is away', () => {
  test('a step ends all the same, and its log is whole and closed once it is back', async () => {
    const { held, state, text, dir, files } = world()
    const writer = await held.store.open(KEY)
    await writer.write(bytes('before\n'))
    state.isDown = true
    await writer.write(bytes('while\n'))
    await writer.write(bytes('more\n'))
    expect(await writer.close()).toEqual({ bytes: 18, isPending: true })
    expect(held.state()).toMatchObject({ runs: 1, waiting: 11, downSince: expect.any(String) })
    expect(Buffer.from((await held.store.read(KEY, 7, 100)).bytes).toString()).toBe('while\nmore\n')
    expect(await text()).toBe('before\n')
    state.isDown = false
    await brought(text, 'before\nwhile\nmore\n')
    await expect.poll(async () => (await files.read(KEY, 0, 0)).isClosed, PATIENCE).toBe(true)
    await expect.poll(() => held.state(), PATIENCE).toEqual({ runs: 0, waiting: 0 })
    expect(readdirSync(dir)).toEqual([])
  })

  test('a log that is begun then is kept whole, listed, and says since when it waits', async () => {
    const { held, state, text } = world()
    state.isDown = true
    const writer = await held.store.open(KEY)
    await writer.write(bytes('all of it\n'))
    expect(await held.store.list(KEY.runId)).toEqual([KEY])
    expect((await held.store.read(KEY, 0, 100)).heldSince).toBe(held.state().downSince)
    await writer.close()
    state.isDown = false
    await brought(text, 'all of it\n')
    await expect.poll(async () => (await held.store.read(KEY, 0, 100)).heldSince, PATIENCE).toBeUndefined()
    expect(await held.store.list(KEY.runId)).toEqual([KEY])
  })

  test('a step that goes on after it goes on in the store', async () => {
    const { held, state, text, dir } = world()
    const writer = await held.store.open(KEY)
    state.isDown = true
    await writer.write(bytes('1'))
    state.isDown = false
    await brought(text, '1')
    await expect.poll(() => readdirSync(dir), PATIENCE).toEqual([])
    await writer.write(bytes('2'))
    expect(await text()).toBe('12')
    state.isDown = true
    await writer.write(bytes('3'))
    await writer.close()
    state.isDown = false
    await brought(text, '123')
  })

  test('a part that got there is not there twice', async () => {
    const { held, state, text } = world()
    const writer = await held.store.open(KEY)
    state.isDown = true
    state.partial = 3
    await writer.write(bytes('abcdef'))
    await writer.close()
    expect(await text()).toBe('abc')
    state.partial = 0
    state.isDown = false
    await brought(text, 'abcdef')
  })

  test('past the limit writing waits, and goes on when there is room again', async () => {
    const { held, state, text } = world({ limitBytes: 10 })
    const writer = await held.store.open(KEY)
    state.isDown = true
    await writer.write(bytes('12345678'))
    let isDone = false
    const more = writer.write(bytes('90ab')).then(() => {
      isDone = true
    })
    await new Promise((resolve) => setImmediate(resolve))
    expect([isDone, held.state().waiting]).toEqual([false, 8])
    state.isDown = false
    await more
    await writer.close()
    await brought(text, '1234567890ab')
  })

  test('and the disk of the worker is full as well, writing waits', async () => {
    const { held, state, text, dataDir, dir } = world()
    const writer = await held.store.open(KEY)
    state.isDown = true
    // Nothing can be made where a folder should be and a file is not.
    mkdirSync(join(dataDir, 'aside'))
    renameSync(join(dataDir, 'aside'), `${dir}-blocked`)
    const { writeFileSync } = await import('node:fs')
    writeFileSync(dir, '')
    const waiting = writer.write(bytes('kept in mind\n'))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(held.state().waiting).toBe(0)
    rmSync(dir)
    await waiting
    await writer.close()
    state.isDown = false
    await brought(text, 'kept in mind\n')
  })

  test('what the process of a worker left is brought by the next one', async () => {
    const { held, state, text, open } = world()
    const writer = await held.store.open(KEY)
    await writer.write(bytes('one '))
    state.isDown = true
    await writer.write(bytes('two '))
    await writer.close()
    await held.close()
    const next = open()
    onTestFinished(() => next.close())
    await next.resume()
    expect(next.state().waiting).toBe(4)
    state.isDown = false
    await brought(text, 'one two ')
  })
})

test('what another process has done to a log is an error, not an outage', async () => {
  const { dir } = world()
  const conflict = new SopError('conflict', 'another process writes it')
  const logs = { open: async () => Promise.reject(conflict) } as unknown as LogStore
  const held = holdLogs({ logs, dir, warn: () => {}, retryMs: 5 })
  await expect(held.store.open(KEY)).rejects.toBe(conflict)
})
