import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Where systems begin to hand out ports for connections going out, Linux at 32768: above it a free port may be gone at once. */
const [LOWEST, HIGHEST] = [12_000, 32_700]

/**
 * Ports of the loopback interface that nobody listens on, below 32768: a program that is started again finds its own free.
 *
 * @param {number} count
 * @returns {Promise<readonly number[]>}
 */
export const freePorts = async (count) => {
  /** @type {number[]} */
  const found = []
  for (let tries = 0; found.length < count; tries++) {
    if (tries > 1000) throw new Error(`no free port between ${LOWEST} and ${HIGHEST}`)
    const port = randomInt(LOWEST, HIGHEST)
    if (!found.includes(port) && (await isFree(port))) found.push(port)
  }
  return found
}

/** @param {number} port @returns {Promise<boolean>} */
const isFree = (port) =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
