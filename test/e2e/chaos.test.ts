import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { testBinary } from '../support/temporal-server.ts'

// A short chaos run in the suite; `npm run chaos -- --kills 200` is the long one.

const MAIN = resolve(import.meta.dirname, '../../scripts/chaos/main.mjs')

interface Ended {
  readonly code: number
  readonly out: string
}

const chaos = async (...args: readonly string[]): Promise<Ended> => {
  const { path } = await testBinary()
  return new Promise((done) => {
    const env = { ...process.env, TEMPORAL_CLI_PATH: path }
    execFile(process.execPath, [MAIN, ...args], { env, maxBuffer: 1e8 }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), out: `${stdout}${stderr}` }),
    )
  })
}

// Each kind once and work between them, so that its length is a matter of work; the limits are for runs that hang.
const KILLS = ['all', 'worker after a command', 'worker', 'server', 'api']

test('kills of everything, of each alone, and between side effect and completion lose nothing and repeat nothing', {
  timeout: 900_000,
}, async () => {
  const shapes = 'person,pausing,undone,branches,items,parent'
  const { code, out } = await chaos('--seed', '11', '--plan', KILLS.join(','), '--shapes', shapes)
  expect(out).toContain('No violation.')
  expect(out).toContain(`${KILLS.length} kills: ${KILLS.map((kind) => `${kind} 1`).join(', ')}`)
  expect(code).toBe(0)
})

test('a chaos run sees a step that is repeated, a decision that is dropped, a record that is forged and a process that is left', {
  timeout: 900_000,
}, async () => {
  const args = ['--seed', '3', '--kills', '0', '--runs', '6', '--shapes', 'pausing']
  const { code, out } = await chaos(...args, '--plant', 'repeat,drop,forge,leave')
  expect(code).toBe(1)
  expect(out).toMatch(/VIOLATION effect \S+: step:\d#1 took effect 2 times/)
  expect(out).toMatch(/VIOLATION decision \S+: pause \S+ was acknowledged, and is not in effect/)
  expect(out).toMatch(/VIOLATION history \S+: event \d+ is another one in history/)
  expect(out).toMatch(/VIOLATION process: a process was left over: \d+ sleep 300/)
  const folder = /Evidence: (\S+)/.exec(out)?.[1] ?? ''
  expect(folder).toContain('sop-chaos-')
  await rm(folder, { recursive: true, force: true })
})
