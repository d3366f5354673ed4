// monkey.mjs: kills. What and when comes from the seed; what it hits is up to the instant.

import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** How often each kind comes, one beside the other. */
const WEIGHTS = {
  worker: 34,
  api: 14,
  server: 10,
  'server for long': 3,
  all: 7,
  'worker and api': 5,
  'worker after a command': 12,
  'worker before a command': 4,
  'worker after a record': 6,
  'worker before a record': 2,
  'api after a decision': 5,
  'api before a decision': 2,
}

/** The server is away for longer than a command's heartbeat timeout (10 s). */
const LONG_OUTAGE_MS = 13_000

/** Fault points by kind of kill: the file that arms one, and the program that it kills. */
const POINTS = {
  'worker after a command': { file: 'after-command', program: 'worker' },
  'worker before a command': { file: 'before-command', program: 'worker' },
  'worker after a record': { file: 'after-record', program: 'worker' },
  'worker before a record': { file: 'before-record', program: 'worker' },
  'api after a decision': { file: 'after-decision', program: 'api' },
  'api before a decision': { file: 'before-decision', program: 'api' },
}

/** Time that an armed point has to be reached. */
const POINT_MS = 5_000

/**
 * @param {{ cluster: Awaited<ReturnType<typeof import('./cluster.mjs').createCluster>>, random: ReturnType<typeof import('./random.mjs').createRandom>, note: (text: string) => void, without?: readonly string[] }} options
 */
export const createMonkey = ({ cluster, random, note, without = [] }) => {
  const { programs, paths } = cluster
  const weights = Object.fromEntries(Object.entries(WEIGHTS).filter(([kind]) => !without.includes(kind)))
  /** Kills that hit, by kind. @type {Map<string, number>} */
  const hits = new Map()

  const killAll = (...names) => names.map((name) => programs[name].kill()).every(Boolean)

  const strike = async (kind) => {
    switch (kind) {
      case 'worker':
      case 'api':
      case 'server':
        return killAll(kind)
      case 'all':
        return killAll('server', 'worker', 'api')
      case 'worker and api':
        return killAll('worker', 'api')
      case 'server for long': {
        if (programs.server.pid === undefined) return false
        await programs.server.stop('SIGKILL')
        await sleep(LONG_OUTAGE_MS)
        programs.server.start()
        return true
      }
      default:
        return reach(POINTS[kind])
    }
  }

  const reach = async ({ file, program }) => {
    const before = programs[program].starts
    await mkdir(paths.faults, { recursive: true })
    await writeFile(join(paths.faults, file), '')
    for (const end = Date.now() + POINT_MS; Date.now() < end; ) {
      if (!(await readdir(paths.faults)).includes(file)) {
        while (programs[program].starts === before) await sleep(20)
        return true
      }
      await sleep(50)
    }
    await rm(join(paths.faults, file), { force: true })
    return false
  }

  return {
    /** One kill at some instant from now. @returns {Promise<boolean>} whether it hit */
    next: async () => {
      const kind = random.weighted(weights)
      // Mostly soon, so that starts and recoveries are hit as well; now and then late enough that much gets done.
      await sleep(random.chance(0.2) ? random.between(3_000, 6_000) : random.between(50, 1_500))
      const isHit = await strike(kind)
      if (isHit) hits.set(kind, (hits.get(kind) ?? 0) + 1)
      note(`${isHit ? 'killed' : 'missed'} ${kind}`)
      return isHit
    },
    count: () => [...hits.values()].reduce((sum, count) => sum + count, 0),
    table: () => [...hits].sort((a, b) => b[1] - a[1]),
  }
}
