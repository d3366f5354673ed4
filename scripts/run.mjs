import { spawn } from 'node:child_process'

/**
 * Runs a program to its end and keeps what it writes. A signal that ends this process ends the program first.
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
  const release = passSignalsTo(child)
  return new Promise((resolve) => {
    child.on('error', (error) => {
      release()
      resolve({ code: 127, output: error.message })
    })
    child.on('close', (code, signal) => {
      release()
      resolve({ code: code ?? (signal === null ? 1 : 128), output: Buffer.concat(chunks).toString('utf8') })
    })
  })
}

/** @param {import('node:child_process').ChildProcess} child */
function passSignalsTo(child) {
  /** @type {readonly NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const handlers = signals.map((signal) => {
    const handler = () => {
      child.once('close', () => process.exit(128 + (signal === 'SIGINT' ? 2 : signal === 'SIGTERM' ? 15 : 1)))
      child.kill(signal)
    }
    process.on(signal, handler)
    return () => process.off(signal, handler)
  })
  return () => {
    for (const release of handlers) release()
  }
}

/** The last lines of a program's output. @param {string} output */
export const tail = (output, lines = 40) => output.trimEnd().split('\n').slice(-lines).join('\n')
