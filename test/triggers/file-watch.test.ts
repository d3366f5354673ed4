import { writeFileSync } from 'node:fs'
import { chmod, chown, cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createFileWatch } from '../../src/triggers/file-watch.ts'
import type { TriggerSource, SourceTrigger, TriggerOf } from '../../src/triggers/source.ts'
import { createLog } from '../../src/log.ts'
import { createFakeDoor, type FakeDoor, triggerOf } from '../support/fake-door.ts'

let home: string
let door: FakeDoor
const open: TriggerSource[] = []

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sop-files-'))
  await mkdir(join(home, 'in'))
  door = createFakeDoor()
})
afterEach(async () => {
  for (const source of open.splice(0)) await source.close()
  await rm(home, { recursive: true, force: true })
})

const watchOf = (path: string, more: Partial<TriggerOf<'file_watch'>> = {}): SourceTrigger => {
  const events = ['create', 'modify', 'delete'] as const
  return triggerOf({ type: 'file_watch', path, events, settleMs: 100, ...more } satisfies TriggerOf<'file_watch'>)
}

interface Opening {
  readonly dataDir?: string
  readonly sweepMs?: number
}

const start = async (triggers: readonly SourceTrigger[], opening: Opening = {}): Promise<TriggerSource> => {
  const source = await createFileWatch({
    door,
    log: createLog({ level: 'error' }),
    dataDir: join(home, 'data'),
    workdir: home,
    patience: { firstMs: 10, longestMs: 50 },
    sweepMs: 60_000,
    ...opening,
  })
  open.push(source)
  await source.follow(triggers)
  return source
}
const stop = async (source: TriggerSource): Promise<void> => {
  open.splice(open.indexOf(source), 1)
  await source.close()
}

/** Root may read everything: for a moment the process is nobody. */
const withoutRoot = async (work: () => Promise<void>): Promise<void> => {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) {
    for (const path of ['.', 'in', 'in/closed', 'in/closed/a.csv']) await chown(join(home, path), 65_534, 65_534)
    process.seteuid?.(65_534)
  }
  try {
    await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

/** At once, so that a watch in this process never sees the half of it. */
const write = async (name: string, text = 'x'): Promise<void> => writeFileSync(join(home, name), text)
const ledger = (): Promise<string> => readFile(join(home, 'data/triggers/files.jsonl'), 'utf8')
/** What came: `create in/a.csv`. */
const told = async (count: number, withinMs?: number): Promise<readonly string[]> =>
  (await door.until(count, withinMs)).map(
    ({ occurrence }) => `${occurrence.action} ${occurrence.subject.slice(home.length + 1)}`,
  )

describe('createFileWatch()', () => {
  test('tells what is created, modified and deleted, and what is known of it', async () => {
    await write('in/old.csv')
    await start([watchOf('in/*.csv')])
    await write('in/a.csv', 'one')
    await told(1)
    await write('in/a.csv', 'more')
    await told(2)
    await rm(join(home, 'in/a.csv'))
    expect(await told(3)).toEqual(['create in/a.csv', 'modify in/a.csv', 'delete in/a.csv'])
    const { occurrence } = door.came[0] ?? {}
    expect(occurrence?.payload).toMatchObject({
      path: join(home, 'in/a.csv'),
      name: 'a.csv',
      folder: join(home, 'in'),
      event: 'create',
      size: 3,
    })
    expect(new Set(door.came.map((each) => each.occurrence.key)).size).toBe(3)
  })

  test('waits until a file that is being written is left alone', async () => {
    await start([watchOf('in/*.csv', { settleMs: 400 })])
    for (let piece = 1; piece <= 10; piece++) {
      await write('in/big.csv', 'x'.repeat(piece))
      // Longer than it takes to notice, shorter than a file has to rest: this is the writer, not a wait for the engine.
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    await write('in/end.csv')
    expect(await told(2)).toEqual(['create in/big.csv', 'create in/end.csv'])
    expect(door.came[0]?.occurrence.payload).toMatchObject({ size: 10 })
  })

  test('takes a file that was renamed over another one for a modification, and a rename for delete and create', async () => {
    await write('in/a.csv', 'old')
    await write('in/b.csv', 'b')
    await start([watchOf('in/*.csv')])
    await write('in/.a.csv.tmp', 'new')
    await rename(join(home, 'in/.a.csv.tmp'), join(home, 'in/a.csv'))
    expect(await told(1)).toEqual(['modify in/a.csv'])
    await rename(join(home, 'in/b.csv'), join(home, 'in/c.csv'))
    expect([...(await told(3))].sort()).toEqual(['create in/c.csv', 'delete in/b.csv', 'modify in/a.csv'])
  })

  test('tells of a file that was moved away and back that it was created again', async () => {
    await start([watchOf('in/*.csv', { events: ['create'] })])
    await write('in/a.csv')
    await told(1)
    await rename(join(home, 'in/a.csv'), join(home, 'away'))
    // It counts as gone once it was gone for the settle time: so it is when what was written after that was told.
    await write('in/b.csv')
    await told(2)
    await write('in/c.csv')
    await told(3)
    await rename(join(home, 'away'), join(home, 'in/a.csv'))
    expect(await told(4)).toEqual(['create in/a.csv', 'create in/b.csv', 'create in/c.csv', 'create in/a.csv'])
    expect(new Set(door.came.map(({ occurrence }) => occurrence.key)).size).toBe(4)
  })

  test('sees folders that appear later, deep ones and the watched one itself', async () => {
    const source = await start([watchOf('later/**/*.csv')])
    expect(source.health()).toEqual({
      ok: true,
      detail: `folder "${join(home, 'later')}" is waited for: it was never there`,
    })
    await mkdir(join(home, 'later/x/y'), { recursive: true })
    await write('later/x/y/a.csv')
    expect(await told(1)).toEqual(['create later/x/y/a.csv'])
    await mkdir(join(home, 'later/z'))
    await write('later/z/b.csv')
    expect(await told(2)).toEqual(['create later/x/y/a.csv', 'create later/z/b.csv'])
  })

  test('tells nothing of a watched folder that is gone, and what differs when it is back', async () => {
    await write('in/keep.csv')
    await write('in/lose.csv')
    const source = await start([watchOf('in/*.csv')])
    await rename(join(home, 'in'), join(home, 'elsewhere'))
    await expect.poll(() => source.health()?.detail, { timeout: 20_000 }).toMatch(/is not there/)
    await rm(join(home, 'elsewhere/lose.csv'))
    await write('elsewhere/new.csv')
    await rename(join(home, 'elsewhere'), join(home, 'in'))
    expect([...(await told(2))].sort()).toEqual(['create in/new.csv', 'delete in/lose.csv'])
    await expect.poll(() => source.health(), { timeout: 20_000 }).toEqual({ ok: true })
    await write('in/after.csv')
    expect((await told(3)).at(-1)).toBe('create in/after.csv')
  })

  test('does not take the files of a folder that was removed for deleted before the folder is there again', async () => {
    await mkdir(join(home, 'other'))
    await write('in/a.csv')
    const triggers = (settleMs: number) => [
      watchOf('in/*.csv', { settleMs }),
      watchOf('other/*.csv', { settleMs: 700 }),
    ]
    // Only when the folder is seen to be gone has the file been gone for long enough.
    const source = await start(triggers(60_000))
    // It is seen to be gone before its folder is.
    await rm(join(home, 'in/a.csv'))
    await expect.poll(ledger, { timeout: 20_000 }).toMatch(/a\.csv".*"d":1/)
    await rm(join(home, 'in'), { recursive: true })
    await expect.poll(() => source.health()?.detail, { timeout: 20_000 }).toMatch(/is not there/)
    await source.follow(triggers(100))
    await write('other/later.csv')
    expect(await told(1)).toEqual(['create other/later.csv'])
    await mkdir(join(home, 'in'))
    expect(await told(2)).toEqual(['create other/later.csv', 'delete in/a.csv'])
  })

  test('follows no link to a folder, so a loop of links is no loop, and takes a link to a file for the file', async () => {
    await symlink(join(home, 'in'), join(home, 'in/loop'))
    await symlink(join(home, 'in/self'), join(home, 'in/self'))
    await start([watchOf('in/**/*.csv')])
    await write('file.txt', 'linked')
    await symlink(join(home, 'file.txt'), join(home, 'in/link.csv'))
    expect(await told(1)).toEqual(['create in/link.csv'])
    await write('in/a.csv')
    expect(await told(2)).toEqual(['create in/link.csv', 'create in/a.csv'])
  })

  test('says which folder it cannot read, and does not think its files gone', async () => {
    await mkdir(join(home, 'in/closed'))
    await write('in/closed/a.csv')
    await withoutRoot(async () => {
      const source = await start([watchOf('in/**/*.csv')], { sweepMs: 50 })
      await chmod(join(home, 'in/closed'), 0)
      await expect.poll(() => source.health()?.detail, { timeout: 20_000 }).toMatch(/closed" cannot be read/)
      await write('in/b.csv')
      await told(1)
      await chmod(join(home, 'in/closed'), 0o700)
      await write('in/closed/c.csv')
      expect(await told(2)).toEqual(['create in/b.csv', 'create in/closed/c.csv'])
      await stop(source)
    })
  })

  test('passes over what the engine writes itself', async () => {
    await start([watchOf('**/*.jsonl')])
    await write('in/a.jsonl')
    await told(1)
    await write('in/b.jsonl')
    expect(await told(2)).toEqual(['create in/a.jsonl', 'create in/b.jsonl'])
  })

  test('means only the triggers that asked for the action', async () => {
    const [created, any] = [watchOf('in/*.csv', { events: ['create'] }), watchOf('in/*.csv')]
    await start([created, any])
    await write('in/a.csv')
    await told(1)
    await rm(join(home, 'in/a.csv'))
    await told(2)
    const meant = door.came.map(({ options }) => [created, any].map(({ trigger }) => options?.concerns?.('x', trigger)))
    expect(meant).toEqual([
      [true, true],
      [false, true],
    ])
  })

  test('finds by its sweep what the system did not tell of', { timeout: 300_000 }, async () => {
    await start([watchOf('in/*.csv')], { sweepMs: 50 })
    await write('target', 'one')
    await symlink(join(home, 'target'), join(home, 'in/a.csv'))
    await told(1)
    // The folder of the link hears nothing of that.
    await write('target', 'more')
    // A sweep that took long, since the machine stood still, has a long pause after it.
    expect(await told(2, 250_000)).toEqual(['create in/a.csv', 'modify in/a.csv'])
  })
})

describe('createFileWatch() over restarts', () => {
  test('passes over what happened while it was off, unless it is asked for', async () => {
    await write('in/a.csv')
    await stop(await start([watchOf('in/*.csv')]))
    await write('in/b.csv')
    const source = await start([watchOf('in/*.csv')])
    await write('in/c.csv')
    expect(await told(1)).toEqual(['create in/c.csv'])
    await stop(source)
    await write('in/d.csv')
    await rm(join(home, 'in/a.csv'))
    await write('in/c.csv', 'longer')
    await stop(await start([watchOf('in/*.csv', { onStart: true })]).then(async (each) => (await told(4), each)))
    expect((await told(4)).slice(1).sort()).toEqual(['create in/d.csv', 'delete in/a.csv', 'modify in/c.csv'])
    await start([watchOf('in/*.csv', { onStart: true })])
    await write('in/last.csv')
    expect((await told(5)).slice(4)).toEqual(['create in/last.csv'])
  })

  test('tells files that it finds at its very first start only where it is asked for', async () => {
    await write('in/a.csv')
    await mkdir(join(home, 'out'))
    await write('out/b.csv')
    await start([watchOf('in/*.csv', { onStart: true }), watchOf('out/*.csv')])
    await write('out/c.csv')
    expect([...(await told(2))].sort()).toEqual(['create in/a.csv', 'create out/c.csv'])
  })

  test('delivers again, with the same key, what was delivered when the engine was killed', async () => {
    const image = join(home, 'image')
    door.onDeliver = async ({ subject }) => {
      // The disk as a kill between the start of the run and the ledger's entry leaves it.
      if (subject.endsWith('a.csv')) await cp(join(home, 'data'), image, { recursive: true })
    }
    const source = await start([watchOf('in/*.csv', { events: ['create'] })])
    await write('in/a.csv')
    await told(1)
    await stop(source)
    door.onDeliver = () => {}
    const again = await start([watchOf('in/*.csv', { events: ['create'] })], { dataDir: image })
    await told(2)
    expect(door.came[1]?.occurrence.key).toBe(door.came[0]?.occurrence.key)
    await stop(again)
    await start([watchOf('in/*.csv', { events: ['create'] })], { dataDir: image })
    await write('in/b.csv')
    expect(await told(3)).toEqual(['create in/a.csv', 'create in/a.csv', 'create in/b.csv'])
  })

  test('delivers what it had begun to deliver as it was then, though the file is another one now', async () => {
    const image = join(home, 'image')
    door.onDeliver = () => cp(join(home, 'data'), image, { recursive: true })
    const source = await start([watchOf('in/*.csv')])
    await write('in/a.csv')
    await told(1)
    await stop(source)
    await write('in/a.csv', 'changed since')
    door.onDeliver = () => {}
    await start([watchOf('in/*.csv')], { dataDir: image })
    expect(await told(3)).toEqual(['create in/a.csv', 'create in/a.csv', 'modify in/a.csv'])
    expect(door.came[1]?.occurrence.key).toBe(door.came[0]?.occurrence.key)
  })

  test('tells what it saw change before it was killed, though it had not settled', async () => {
    const image = join(home, 'image')
    const source = await start([watchOf('in/*.csv', { settleMs: 60_000 })])
    await write('in/a.csv')
    await expect.poll(ledger, { timeout: 20_000 }).toMatch(/a\.csv","d":1/)
    await cp(join(home, 'data'), image, { recursive: true })
    await stop(source)
    await start([watchOf('in/*.csv')], { dataDir: image })
    expect(await told(1)).toEqual(['create in/a.csv'])
  })

  test('goes on trying while nothing can be started, and tells each change once', async () => {
    let failures = 0
    door.onDeliver = () => {
      if (failures++ < 3) throw new Error('Temporal cannot be reached')
    }
    await start([watchOf('in/*.csv')])
    await write('in/a.csv')
    await told(4)
    await write('in/b.csv')
    expect(await told(5)).toEqual([...Array<string>(4).fill('create in/a.csv'), 'create in/b.csv'])
    expect(new Set(door.came.map(({ occurrence }) => occurrence.key)).size).toBe(2)
  })

  test('passes over damaged lines of its ledger', async () => {
    await write('in/a.csv')
    await stop(await start([watchOf('in/*.csv')]))
    const ledger = join(home, 'data/triggers/files.jsonl')
    await writeFile(ledger, `${await readFile(ledger, 'utf8')}{"w":"x"\nnull\n[]\n{"w":"${home}/in/*.csv","f":"half`)
    await write('in/b.csv')
    await start([watchOf('in/*.csv', { onStart: true })])
    expect(await told(1)).toEqual(['create in/b.csv'])
  })
})
