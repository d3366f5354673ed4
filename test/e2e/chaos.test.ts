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

test('kills at random instants lose nothing and repeat nothing', { timeout: 240_000 }, async () => {
  const { code, out } = await chaos(
    '--seed',
    '11',
    '--kills',
    '10',
    '--seconds',
    '30',
    '--open',
    '6',
    '--without',
    'server for long',
  )
  expect(out).toContain('No violation.')
  expect(Number(/^(\d+) kills/m.exec(out)?.[1])).toBeGreaterThanOrEqual(5)
  expect(code).toBe(0)
})

test('a chaos run sees a step that is repeated, a decision that is dropped, a record that is forged and a process that is left', {
  timeout: 240_000,
}, async () => {
  const args = [
    '--seed',
    '3',
    '--kills',
    '0',
    '--runs',
    '6',
    '--shapes',
    'sequential,person,pausing',
    '--seconds',
    '40',
  ]
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
