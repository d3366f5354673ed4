import { spawn } from 'node:child_process'

/**
 * Runs a program to its end and keeps what it writes.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, inherit?: boolean }} options `inherit`: show its output instead of keeping it
 * @returns {Promise<{ code: number, output: string }>} a program that cannot be started has code 127
 */
export function run(command, args, { cwd, env = process.env, inherit = false }) {
  const child = spawn(command, [...args], {
    cwd,
    env,
    stdio: ['ignore', inherit ? 'inherit' : 'pipe', inherit ? 'inherit' : 'pipe'],
  })
  /** @type {Buffer[]} */
  const chunks = []
  child.stdout?.on('data', (chunk) => chunks.push(chunk))
  child.stderr?.on('data', (chunk) => chunks.push(chunk))
  running.add(child)
  return new Promise((resolve) => {
    child.on('error', (error) => {
      running.delete(child)
      resolve({ code: 127, output: error.message })
    })
    child.on('close', (code, signal) => {
      running.delete(child)
      resolve({ code: code ?? (signal === null ? 1 : 128), output: Buffer.concat(chunks).toString('utf8') })
    })
  })
}

/** Programs that run now. @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

/** @type {Readonly<Partial<Record<NodeJS.Signals, number>>>} */
const EXIT_CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

/** From now on a signal ends the programs that run, then this process. @returns {() => void} ends that */
export function catchSignals() {
  /** @param {NodeJS.Signals} signal */
  const end = async (signal) => {
    const ended = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)))
    for (const child of running) child.kill(signal)
    await Promise.all(ended)
    process.exit(EXIT_CODES[signal])
  }
  const signals = /** @type {NodeJS.Signals[]} */ (Object.keys(EXIT_CODES))
  /** @param {NodeJS.Signals} signal */
  const handler = (signal) => void end(signal)
  for (const signal of signals) process.on(signal, handler)
  return () => {
    for (const signal of signals) process.off(signal, handler)
  }
}

/** The last lines of a program's output. @param {string} output */
export const tail = (output, lines = 40) => output.trimEnd().split('\n').slice(-lines).join('\n')
