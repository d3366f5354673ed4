import { describe, expect, test } from 'vitest'
import type { LogKey, LogStore, LogWriter } from '../../../src/activities/deps.ts'

/** What a test gets: a fresh store, and the same data opened a second time, as another process would. */
export interface LogStoreRig {
  readonly logs: LogStore
  readonly again: () => LogStore | Promise<LogStore>
}

const KEY: LogKey = { runId: 'sop_run_1', executableId: 'step:1', attempt: 1 }
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const REMOVAL = { removedAt: '2026-06-01T00:00:00.000Z', bytes: 3, reason: 'they were old' }

const withLog = async (logs: LogStore, key: LogKey, ...parts: readonly (string | Uint8Array)[]): Promise<LogWriter> => {
  const writer = await logs.open(key)
  for (const part of parts) await writer.write(Buffer.from(part as Uint8Array))
  return writer
}

/** The laws of every log store; each adapter's test file calls it with its own way to open one. */
export const describeLogStore = (name: string, rig: () => Promise<LogStoreRig> | LogStoreRig): void => {
  describe(name, () => {
    test('a log is read by offset, also while it is written', async () => {
      const { logs, again } = await rig()
      const writer = await logs.open(KEY)
      expect(writer.size).toBe(0)
      expect(await logs.read(KEY, 0, 10)).toEqual({ bytes: expect.objectContaining({ length: 0 }), end: 0 })
      await writer.write(Buffer.from('hello '))
      expect(text((await logs.read(KEY, 0, 100)).bytes)).toBe('hello ')
      await writer.write(Buffer.from('world'))
      const { bytes, end } = await (await again()).read(KEY, 6, 3)
      expect([text(bytes), end]).toEqual(['wor', 11])
      expect((await logs.read(KEY, 11, 10)).bytes).toHaveLength(0)
      expect((await logs.read(KEY, 500, 10)).bytes).toHaveLength(0)
      expect(await writer.close()).toEqual({ bytes: 11 })
    })

    test('bytes of any kind come back as they were', async () => {
      const { logs } = await rig()
      const all = Uint8Array.from({ length: 70_000 }, (_, at) => (at * 7) % 256)
      await (await withLog(logs, KEY, all)).close()
      const { bytes, end } = await logs.read(KEY, 0, 100_000)
      expect([Buffer.compare(bytes, all), end]).toEqual([0, 70_000])
      expect(Buffer.compare((await logs.read(KEY, 65_530, 20)).bytes, all.subarray(65_530, 65_550))).toBe(0)
    })

    test('says when its writer has closed it, and not before', async () => {
      const { logs, again } = await rig()
      const writer = await withLog(logs, KEY, 'x')
      expect(await logs.read(KEY, 0, 1)).not.toHaveProperty('isClosed')
      await writer.close()
      expect(await (await again()).read(KEY, 0, 1)).toMatchObject({ isClosed: true })
    })

    test('a log that is opened again goes on, and is not closed until it is closed again', async () => {
      const { logs } = await rig()
      await (await withLog(logs, KEY, 'a')).close()
      const writer = await logs.open(KEY)
      expect(writer.size).toBe(1)
      await writer.write(Buffer.from('b'))
      const { bytes, isClosed } = await logs.read(KEY, 0, 10)
      expect([text(bytes), isClosed]).toEqual(['ab', undefined])
      await writer.close()
      expect(await logs.read(KEY, 2, 10)).toMatchObject({ end: 2, isClosed: true })
    })

    test('a log that its writer has let go of goes on with the next one, and is not closed', async () => {
      const { logs, again } = await rig()
      await (await withLog(logs, KEY, 'a')).release()
      expect(await logs.read(KEY, 0, 10)).toMatchObject({ end: 1 })
      const writer = await (await again()).open(KEY)
      expect(writer.size).toBe(1)
      await writer.write(Buffer.from('b'))
      await writer.release()
      const { bytes, isClosed } = await logs.read(KEY, 0, 10)
      expect([text(bytes), isClosed]).toEqual(['ab', undefined])
    })

    test('keeps how much of the output it does not hold', async () => {
      const { logs, again } = await rig()
      const writer = await withLog(logs, KEY, 'head')
      await writer.cut(0)
      expect(await logs.read(KEY, 0, 10)).toMatchObject({ cutBytes: 0 })
      await writer.cut(5_000_000_000)
      await writer.close()
      expect(await (await again()).read(KEY, 0, 10)).toMatchObject({ end: 4, cutBytes: 5_000_000_000 })
      expect(await logs.list(KEY.runId)).toEqual([KEY])
    })

    test('what is not there is empty', async () => {
      const { logs } = await rig()
      expect(await logs.read(KEY, 0, 10)).toEqual({ bytes: new Uint8Array(0), end: 0 })
      expect(await logs.list('nope')).toEqual([])
      expect(await logs.removal('nope')).toBeUndefined()
      expect(await logs.usage()).toEqual([])
    })

    test('the logs of a run are listed as its steps stand', async () => {
      const { logs } = await rig()
      const keys: [LogKey['executableId'], number][] = [
        ['gate:pre_check.it', 1],
        ['step:1', 1],
        ['verify:1', 1],
        ['step:1', 2],
        ['verify:1', 2],
        ['rollback:1', 2],
        ['step:2', 1],
        ['step:10', 1],
        ['gate:post_patch-1', 1],
      ]
      const wanted = keys.map(([executableId, attempt]) => ({ runId: 'a/b', executableId, attempt }))
      for (const key of [...wanted].reverse()) await (await logs.open(key)).close()
      expect(await logs.list('a/b')).toEqual(wanted)
    })

    test('tells what each run holds, and since when nothing was added', async () => {
      const { logs } = await rig()
      const before = Date.now()
      await (await withLog(logs, KEY, 'four')).close()
      await (await withLog(logs, { ...KEY, attempt: 2 }, 'and six')).close()
      await (await withLog(logs, { ...KEY, runId: 'a/b.c' }, 'x')).close()
      const usage = [...(await logs.usage())].sort((a, b) => (a.runId < b.runId ? -1 : 1))
      expect(usage).toMatchObject([
        { runId: 'a/b.c', bytes: 1 },
        { runId: 'sop_run_1', bytes: 11 },
      ])
      // Clocks of file systems are coarse.
      for (const { writtenAt } of usage) expect(Math.abs(Date.parse(writtenAt) - before)).toBeLessThan(60_000)
    })

    test('removes the logs of one run and says why; the first reason stays', async () => {
      const { logs, again } = await rig()
      await (await withLog(logs, KEY, 'abc')).close()
      const other = { ...KEY, runId: 'sop_run_2' }
      await (await withLog(logs, other, 'stays')).close()
      await logs.remove(KEY.runId, REMOVAL)
      await logs.remove(KEY.runId, { ...REMOVAL, reason: 'another' })
      expect(await logs.list(KEY.runId)).toEqual([])
      expect((await logs.read(KEY, 0, 10)).end).toBe(0)
      expect(await (await again()).removal(KEY.runId)).toEqual(REMOVAL)
      expect(text((await logs.read(other, 0, 10)).bytes)).toBe('stays')
      expect(await logs.removal(other.runId)).toBeUndefined()
      expect((await logs.usage()).map(({ runId }) => runId)).toEqual([other.runId])
    })

    test('a run whose logs were removed can have logs again', async () => {
      const { logs } = await rig()
      await (await withLog(logs, KEY, 'abc')).close()
      await logs.remove(KEY.runId, REMOVAL)
      await (await withLog(logs, { ...KEY, attempt: 2 }, 'new')).close()
      expect(await logs.list(KEY.runId)).toEqual([{ ...KEY, attempt: 2 }])
    })
  })
}
