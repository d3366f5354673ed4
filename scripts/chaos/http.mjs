// http.mjs: asks the API of a chaos run. No answer is an answer, too: the program may be dead.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Time for one call. Longer than the engine's own deadlines, so that it is the engine that answers. */
const DEADLINE_MS = 12_000

/** @param {{ url: string, dataDir: string }} options */
export const createApi = ({ url, dataDir }) => {
  let token
  /** What the engine itself calls its own defect. @type {string[]} */
  const failures = []
  const tokenOf = async () => {
    token ??= (await readFile(join(dataDir, 'token'), 'utf8')).trim()
    return token
  }
  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @param {Record<string, string>} [headers]
   * @returns {Promise<{ status: number, json: any } | undefined>} undefined where nobody answered
   */
  const call = async (method, path, body, headers = {}) => {
    try {
      const response = await fetch(`${url}${path}`, {
        method,
        signal: AbortSignal.timeout(DEADLINE_MS),
        headers: {
          Authorization: `Bearer ${await tokenOf()}`,
          ...(body !== undefined && { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      const answer = { status: response.status, json: await response.json() }
      if (answer.status === 500) failures.push(`${method} ${path}: ${answer.json?.detail ?? 'no reason'}`)
      return answer
    } catch {
      return undefined
    }
  }
  return {
    call,
    failures,
    get: (path) => call('GET', path),
    post: (path, body, headers) => call('POST', path, body, headers),
  }
}
