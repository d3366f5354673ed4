import { describe, expect, test } from 'vitest'
import type { HeadLine, HeadStore } from '../../../src/activities/deps.ts'
import { sha256Hex } from '../../../src/core/canonical.ts'
import { type Head, type HeadDraft, hashOfHead, headText, NO_HEADS } from '../../../src/core/heads.ts'

/** What a test gets: an empty chain, and ways to open it again, as a later process or one beside it would. */
export interface HeadStoreRig {
  readonly heads: HeadStore
  again(): HeadStore
  /** By one who has no key. */
  follow(): HeadStore
}

export const SIGNER = { authority: 'KEY', seal: (text: string): string => `sealed(${text})` }

export const headDraft = (runId: string, sequence: number, kind: HeadDraft['kind'] = 'checkpoint'): HeadDraft => ({
  kind,
  runId,
  sop: 'deploy',
  sequence,
  eventHash: `${sequence}`.padStart(64, 'a'),
})

export const scanned = async (heads: HeadStore): Promise<readonly HeadLine[]> => {
  const lines: HeadLine[] = []
  for await (const piece of heads.scan()) lines.push(...piece)
  return lines
}
const entries = async (heads: HeadStore): Promise<readonly Head[]> =>
  (await scanned(heads)).flatMap(({ head }) => (head === undefined ? [] : [head]))

const expectChain = (heads: readonly Head[]): void => {
  let before: Pick<Head, 'index' | 'hash'> = NO_HEADS
  for (const head of heads) {
    expect(head.index).toBe(before.index + 1)
    expect(head.previousHash).toBe(before.hash)
    expect(hashOfHead(head, sha256Hex)).toBe(head.hash)
    expect(head.signature).toBe(SIGNER.seal(headText(head.hash)))
    before = head
  }
}

/** The laws of every chain of heads; each adapter's test file calls it with its own way to open one. */
export const describeHeadStore = (name: string, rig: () => Promise<HeadStoreRig>): void => {
  describe(`${name}.append()`, () => {
    test('chains and signs what is new, and answers it', async () => {
      const { heads, again } = await rig()
      const added = await heads.append([
        headDraft('a', 1, 'opened'),
        headDraft('b', 1, 'opened'),
        headDraft('a', 4),
        headDraft('a', 9, 'closed'),
      ])
      expect(added.map(({ index, kind, runId, sequence }) => [index, kind, runId, sequence])).toEqual([
        [1, 'opened', 'a', 1],
        [2, 'opened', 'b', 1],
        [3, 'checkpoint', 'a', 4],
        [4, 'closed', 'a', 9],
      ])
      expect(await entries(again())).toEqual(added)
      expectChain(added)
      expect(await heads.end()).toMatchObject({ index: 4, hash: added[3]?.hash })
    })

    test('counts what was told twice once, whoever tells it', async () => {
      const { heads, again } = await rig()
      const drafts = [headDraft('a', 1, 'opened'), headDraft('a', 4), headDraft('a', 4, 'closed')]
      await heads.append(drafts)
      expect(await heads.append(drafts)).toEqual([])
      expect(await again().append([...drafts, ...drafts])).toEqual([])
      expect(await entries(heads)).toHaveLength(3)
      expect(await heads.append([])).toEqual([])
    })

    test('keeps a tombstone, and a new record of the same id after it', async () => {
      const { heads } = await rig()
      const removal = { reason: 'older than 90 days', by: 'engine', closedAt: '2026-03-01T08:00:00.000Z' }
      const [tombstone] = await heads.append([{ ...headDraft('a', 8, 'removed'), removal }])
      expect(tombstone).toMatchObject({ kind: 'removed', sequence: 8, removal })
      expect(await heads.append([headDraft('a', 8, 'removed')])).toEqual([])
      expect(await heads.append([headDraft('a', 1, 'opened')])).toMatchObject([{ kind: 'opened', index: 2 }])
    })

    test('stays one chain when many append at once', async () => {
      const { heads } = await rig()
      await Promise.all(Array.from({ length: 30 }, (_, i) => heads.append([headDraft(`r${i}`, 1, 'opened')])))
      const all = await entries(heads)
      expect(all).toHaveLength(30)
      expectChain(all)
    })

    test('goes on where another process left off', async () => {
      const { heads, again } = await rig()
      await heads.append([headDraft('a', 1, 'opened')])
      await again().append([headDraft('a', 2)])
      expectChain(await entries(again()))
      expect(await entries(again())).toHaveLength(2)
    })

    test('takes any workflow id', async () => {
      const { heads, again } = await rig()
      const ids = ['../../etc/passwd', 'ünï cödé 🚀', '', "'; DROP TABLE x; --", 'x'.repeat(900)]
      await heads.append(ids.map((runId) => headDraft(runId, 1, 'opened')))
      expect((await entries(again())).map(({ runId }) => runId)).toEqual(ids)
      expect((await again().known(ids)).size).toBe(ids.length)
    })

    test('needs the key', async () => {
      const { follow } = await rig()
      await expect(follow().append([headDraft('a', 1, 'opened')])).rejects.toMatchObject({ code: 'internal' })
    })
  })

  describe(`${name}.known()`, () => {
    test('gives the newest entries of the runs that are asked for', async () => {
      const { heads, follow } = await rig()
      await heads.append([headDraft('a', 1, 'opened'), headDraft('b', 1, 'opened'), headDraft('a', 7)])
      for (const each of [heads, follow()]) {
        expect([...(await each.known(['a', 'none']))]).toEqual([['a', { kind: 'checkpoint', sequence: 7 }]])
        expect(await each.known([])).toEqual(new Map())
      }
    })
  })

  describe(`${name}.scan()`, () => {
    test('gives all entries with their places, in pieces', async () => {
      const { heads, follow } = await rig()
      expect(await scanned(follow())).toEqual([])
      expect(await heads.end()).toEqual(NO_HEADS)
      await heads.append(Array.from({ length: 1203 }, (_, i) => headDraft(`r${i}`, 1, 'opened')))
      const lines = await scanned(follow())
      expect(lines.map(({ line }) => line)).toEqual(Array.from({ length: 1203 }, (_, i) => i + 1))
      expect(lines.every(({ head, line }) => head?.index === line)).toBe(true)
    })
  })
}
