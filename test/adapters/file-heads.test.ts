import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createFileHeads, HEADS_FILE } from '../../src/adapters/file-heads.ts'
import { describeHeadStore, headDraft, scanned, SIGNER } from './contract/head-store.ts'
import { tempDir } from './support/records.ts'

describeHeadStore('createFileHeads()', async () => {
  const dataDir = tempDir()
  const again = () => createFileHeads({ dataDir, signer: SIGNER })
  return { heads: again(), again, follow: () => createFileHeads({ dataDir }) }
})

const setUp = () => {
  const dataDir = tempDir()
  const warnings: string[] = []
  const open = () => createFileHeads({ dataDir, signer: SIGNER, warn: (message) => warnings.push(message) })
  return { dataDir, warnings, open, heads: open(), path: join(dataDir, HEADS_FILE) }
}

describe('createFileHeads()', () => {
  test('writes a file that is readable by its owner alone', async () => {
    const { heads, path } = setUp()
    await heads.append([headDraft('a', 1, 'opened')])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test.each([
    ['half a line', (path: string) => truncateSync(path, statSync(path).size - 20), 1],
    ['a line without its end', (path: string) => truncateSync(path, statSync(path).size - 1), 1],
    ['a block of zeros', (path: string) => appendFileSync(path, Buffer.alloc(4096)), 2],
    ['half a character', (path: string) => appendFileSync(path, Buffer.from([0xe2, 0x82])), 2],
  ])('repairs %s at the end', async (_, damage, left) => {
    const { heads, open, path } = setUp()
    await heads.append([headDraft('a', 1, 'opened'), headDraft('a', 2)])
    damage(path)
    expect(await scanned(open())).toHaveLength(left)
    await open().append([headDraft('b', 1, 'opened')])
    const indexes = (await scanned(open())).map(({ head }) => head?.index)
    expect(indexes).toEqual(Array.from({ length: left + 1 }, (__, i) => i + 1))
  })

  test('goes on after a line that somebody damaged, and leaves it as it is', async () => {
    const { heads, open, path } = setUp()
    await heads.append([headDraft('a', 1, 'opened'), headDraft('a', 2), headDraft('a', 3)])
    const lines = readFileSync(path, 'utf8').split('\n')
    writeFileSync(path, [lines[0], 'gone', lines[2], ''].join('\n'))
    await open().append([headDraft('a', 4)])
    expect((await scanned(open())).map(({ head }) => head?.index)).toEqual([1, undefined, 3, 4])
  })

  test('leaves a gap where somebody took entries away while it ran', async () => {
    const { heads, open, path, warnings } = setUp()
    await heads.append([headDraft('a', 1, 'opened')])
    await heads.append([headDraft('a', 2)])
    rmSync(path)
    await heads.append([headDraft('a', 3)])
    expect((await scanned(open())).map(({ head }) => head?.index)).toEqual([3])
    expect(warnings).toEqual(['the chain of heads was changed by another program: see "sop verify-audit"'])
  })

  test('says so when it cannot be written, and goes on when it can', async () => {
    const { dataDir, heads } = setUp()
    writeFileSync(join(dataDir, 'heads'), 'a file in the place of the folder')
    await expect(heads.append([headDraft('a', 1, 'opened')])).rejects.toMatchObject({ code: 'unavailable' })
    rmSync(join(dataDir, 'heads'))
    mkdirSync(join(dataDir, 'heads'))
    expect(await heads.append([headDraft('a', 1, 'opened')])).toHaveLength(1)
  })
})
