// monkey.mjs: kills. What and when comes from the seed; what it hits is up to the instant.

import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { POOL } from './shapes.mjs'

/** How often each kind comes, one beside the other. */
const WEIGHTS = {
  worker: 34,
  api: 14,
  server: 10,
  'server for long': 3,
  all: 7,
  pool: 8,
  'pool after a command': 5,
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
  'pool after a command': { file: `${POOL}/after-command`, program: 'pool' },
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
  const isPossible = (kind) => !without.includes(kind) && (programs.pool !== undefined || !kind.startsWith('pool'))
  const weights = Object.fromEntries(Object.entries(WEIGHTS).filter(([kind]) => isPossible(kind)))
  /** Kills that hit, by kind. @type {Map<string, number>} */
  const hits = new Map()

  const killAll = (...names) => names.map((name) => programs[name].kill()).every(Boolean)

  const strike = async (kind, limitMs) => {
    switch (kind) {
      case 'worker':
      case 'api':
      case 'server':
      case 'pool':
        return killAll(kind)
      case 'all':
        return killAll(...Object.keys(programs))
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
        return reach(POINTS[kind], limitMs)
    }
  }

  const reach = async ({ file, program }, limitMs) => {
    const before = programs[program].starts
    const path = join(paths.faults, file)
    await writeFile(path, '')
    for (const end = Date.now() + limitMs; Date.now() < end; await sleep(50)) {
      if (existsSync(path)) continue
      while (programs[program].starts === before) await sleep(20)
      return true
    }
    await rm(path, { force: true })
    return false
  }

  const hit = async (kind, limitMs) => {
    const isHit = await strike(kind, limitMs)
    if (isHit) hits.set(kind, (hits.get(kind) ?? 0) + 1)
    note(`${isHit ? 'killed' : 'missed'} ${kind}`)
    return isHit
  }

  return {
    /** One kill at some instant from now. @returns {Promise<boolean>} whether it hit */
    next: async () => {
      const kind = random.weighted(weights)
      // Mostly soon, so that starts and recoveries are hit as well; now and then late enough that much gets done.
      await sleep(random.chance(0.2) ? random.between(3_000, 6_000) : random.between(50, 1_500))
      return hit(kind, POINT_MS)
    },
    /** This kind now: a fault point is waited for until something comes to it. @param {string} kind @param {number} limitMs */
    hit,
    count: () => [...hits.values()].reduce((sum, count) => sum + count, 0),
    table: () => [...hits].sort((a, b) => b[1] - a[1]),
  }
}
