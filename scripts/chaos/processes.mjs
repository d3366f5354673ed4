// processes.mjs: what runs for a chaos run, as /proc has it. Everything that is started for it has its folder in the command
// or in the environment, and so has whatever that starts.

import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

/** `pid command` of every process with the text in its command or its environment; elsewhere than on Linux, in its command. @param {string} text @returns {Promise<readonly string[]>} */
export const processesWith = async (text) => {
  if (process.platform !== 'linux') {
    const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,args='], { maxBuffer: 1e8 })
    return stdout.split('\n').filter((line) => line.includes(text) && Number.parseInt(line, 10) !== process.pid)
  }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (/** @type {string} */ name) => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '')
      const [command, environment] = await Promise.all([read('cmdline'), read('environ')])
      return `${command}\0${environment}`.includes(text) ? [`${pid} ${command.replaceAll('\0', ' ').trim()}`] : []
    }),
  )
  return found.flat()
}

/** @param {number} pid @param {NodeJS.Signals} signal @returns whether there was such a process */
export const kill = (pid, signal = 'SIGKILL') => {
  try {
    return pid > 0 && process.kill(pid, signal)
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error
    return false
  }
}
