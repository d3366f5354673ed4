import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createLeaderLock } from '../../src/adapters/postgres/leader-lock.ts'
import { createLeader, type Leader, type LeaderLock, type Leadership, OWNER } from '../../src/engine/leader.ts'
import { createLog } from '../../src/log.ts'
import { createDatabase, execute, needsPostgres } from '../support/postgres.ts'

const log = createLog({ level: 'error' })
/** How long something may take to come to be so, in milliseconds. */
const SOON = { timeout: 20_000, interval: 10 }

/** Leaders that share one throne: who sits on it, and whether two ever did. */
const court = (locks: readonly LeaderLock[]) => {
  const reigning = new Set<number>()
  let most = 0
  const leaders: readonly Leader[] = locks.map((lock, at) =>
    createLeader({
      lock,
      log,
      retryMs: 20,
      lead: async () => {
        reigning.add(at)
        most = Math.max(most, reigning.size)
        return async () => void reigning.delete(at)
      },
    }),
  )
  onTestFinished(async () => {
    await Promise.all(leaders.map((leader) => leader.close()))
  })
  return {
    leaders,
    get most() {
      return most
    },
    /** Waits until exactly one of these reigns; gives which. */
    one: async (among: readonly number[] = locks.map((_, at) => at)): Promise<number> => {
      await expect.poll(() => [...reigning].length === 1 && among.includes([...reigning][0] ?? -1), SOON).toBe(true)
      return [...reigning][0] ?? -1
    },
  }
}

describe('createLeader()', () => {
  test('leads at once where nobody else wants to, and ends that when it is closed', async () => {
    const { one, leaders } = court([OWNER])
    await one()
    await expect.poll(() => leaders[0]?.isLeading, SOON).toBe(true)
    await leaders[0]?.close()
    expect(leaders[0]?.isLeading).toBe(false)
  })

  test('goes on trying when the lock cannot be asked for, and when its work cannot begin', async () => {
    let tries = 0
    const released: string[] = []
    const leader = createLeader({
      lock: {
        take: async () => {
          if (++tries === 1) throw new Error('no database')
          return { lost: new Promise<string>(() => {}), release: async () => void released.push(`${tries}`) }
        },
      },
      lead: async () => {
        if (tries === 2) throw new Error('no broker')
        return async () => {}
      },
      log: createLog({ level: 'error', out: { write: () => {} } }),
      retryMs: 5,
    })
    await expect.poll(() => leader.isLeading, SOON).toBe(true)
    // What it could not use it gave back.
    expect([tries, released]).toEqual([3, ['2']])
    await leader.close()
    expect(released).toEqual(['2', '3'])
  })
})

describe('createLeaderLock()', () => {
  beforeEach(needsPostgres)

  test('has one leader among several processes, and the next one when it goes', async () => {
    const url = await createDatabase()
    const throne = court([1, 2, 3].map(() => createLeaderLock({ url })))
    const { one, leaders } = throne
    const first = await one()
    await leaders[first]?.close()
    const second = await one([0, 1, 2].filter((at) => at !== first))
    expect(second).not.toBe(first)
    expect(throne.most).toBe(1)
  })

  test('gives the place up when its connection is lost, and another one takes it', async () => {
    const url = await createDatabase()
    const lock = createLeaderLock({ url, beatMs: 50 })
    const held = await lock.take()
    expect(await lock.take()).toBeUndefined()
    await execute(
      url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'sop-engine-leader' AND datname = current_database()`,
    )
    expect(await held?.lost).toMatch(/terminating connection|terminated|closed|ECONNRESET|EPIPE/)
    // The server says so before it lets go of the lock.
    let next: Leadership | undefined
    await expect.poll(async () => (next ??= await lock.take()) !== undefined, SOON).toBe(true)
    await Promise.all([held?.release(), next?.release()])
  })

  test('says why the lock cannot be asked for', async () => {
    const url = await createDatabase()
    const nowhere = url.replace(/:\d+\//, ':1/')
    await expect(createLeaderLock({ url: nowhere }).take()).rejects.toThrow(/ECONNREFUSED/)
  })
})
