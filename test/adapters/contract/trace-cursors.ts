import { describe, expect, test } from 'vitest'
import type { TraceCursors } from '../../../src/core/trace/cursors.ts'

/** The laws of every store of cursors; `again` opens it as the next process does. */
export const describeTraceCursors = (
  name: string,
  open: () => Promise<{ readonly cursors: TraceCursors; readonly again: () => Promise<TraceCursors> }>,
): void => {
  describe(name, () => {
    test('keeps how far each run was told, over a restart', async () => {
      const { cursors, again } = await open()
      expect(await cursors.get(['a'])).toEqual(new Map())
      await cursors.set([
        { runId: 'a', sequence: 3 },
        { runId: 'b', sequence: 1 },
      ])
      await cursors.set([{ runId: 'a', sequence: 7 }])
      await cursors.set([])
      for (const each of [cursors, await again()]) {
        expect(await each.get(['a', 'b', 'c'])).toEqual(
          new Map([
            ['a', 7],
            ['b', 1],
          ]),
        )
      }
    })

    test('forgets runs whose records were removed', async () => {
      const { cursors, again } = await open()
      await cursors.set(['a', 'b', 'c'].map((runId) => ({ runId, sequence: 1 })))
      await cursors.keep(['b', 'x'])
      for (const each of [cursors, await again()]) expect([...(await each.get(['a', 'b', 'c'])).keys()]).toEqual(['b'])
      await cursors.keep([])
      expect(await (await again()).get(['b'])).toEqual(new Map())
    })

    test('keeps since when traces are told', async () => {
      const { cursors, again } = await open()
      expect(await cursors.begun('2026-03-01T00:00:00.000Z')).toBe('2026-03-01T00:00:00.000Z')
      expect(await cursors.begun('2026-03-02T00:00:00.000Z')).toBe('2026-03-01T00:00:00.000Z')
      expect(await (await again()).begun('2026-03-03T00:00:00.000Z')).toBe('2026-03-01T00:00:00.000Z')
    })
  })
}
