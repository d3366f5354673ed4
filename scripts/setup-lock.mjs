import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { SetupError } from './progress.mjs'

/**
 * Does `work` while no other set-up works in this directory. One that died leaves no lock that counts.
 *
 * @template T
 * @param {string} root
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withSetupLock(root, work) {
  const file = join(root, '.setup.lock')
  let told = false
  for (let other = take(file); other !== undefined; other = take(file)) {
    if (!told) console.error(`Waiting for another set-up in this directory (process ${other}) …`)
    told = true
    await sleep(300)
  }
  const release = () => rmSync(file, { force: true })
  process.once('exit', release)
  try {
    return await work()
  } finally {
    process.off('exit', release)
    release()
  }
}

/** Takes the lock; the process id of its holder when it is taken. @param {string} file @returns {number | undefined} */
function take(file) {
  // Linked, not opened: the lock must never be seen without its holder.
  const own = `${file}-${process.pid}`
  try {
    writeFileSync(own, String(process.pid))
    linkSync(own, file)
    return undefined
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code
    if (code !== 'EEXIST')
      throw new SetupError(
        `Cannot set up: this directory cannot be written (${code}). Give this user the right to write it, or work in a copy.`,
      )
  } finally {
    rmSync(own, { force: true })
  }
  const holder = Number(readIfThere(file))
  if (isAlive(holder)) return holder
  rmSync(file, { force: true })
  return take(file)
}

/** @param {string} file */
function readIfThere(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** @param {number} pid */
function isAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}
