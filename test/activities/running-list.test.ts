import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRunningList, endLeftCommands } from '../../src/activities/running-list.ts'

let scratchDir: string
const children: ChildProcess[] = []
beforeEach(async () => {
  scratchDir = await mkdtemp(join(tmpdir(), 'sop running-'))
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(scratchDir, { recursive: true })
})

const fileText = (): string => readFileSync(join(scratchDir, '.running'), 'utf8')

/** A command as a step has it: its own group, its mark in the environment and its script in the folder of the mark. */
const command = async (name: string): Promise<{ child: ChildProcess; family: { pgid: number; mark: string } }> => {
  const mark = `SOP_OUTPUT=${join(scratchDir, name)}`
  const script = join(scratchDir, `${name}.sh`)
  writeFileSync(script, 'echo up\nsleep 600 & wait\n')
  const child = spawn('bash', [script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH, SOP_OUTPUT: join(scratchDir, name) },
  })
  children.push(child)
  await once(child.stdout as NodeJS.ReadableStream, 'data')
  return { child, family: { pgid: child.pid ?? 0, mark } }
}

test('names what runs, and no longer what has ended', () => {
  const list = createRunningList(scratchDir)
  list.add({ pgid: 4_000_001, mark: 'SOP_OUTPUT=/a/output.1' })
  list.add({ pgid: 4_000_002, mark: 'SOP_OUTPUT=/a/output.2' })
  list.remove(4_000_001)
  expect(fileText()).toBe('4000002 SOP_OUTPUT=/a/output.2\n')
  list.remove(4_000_002)
  expect(fileText()).toBe('')
})

test('what the last worker left running is ended, with what it had begun', async () => {
  const left = await command('left')
  const ended = once(left.child, 'close')
  createRunningList(scratchDir).add(left.family)
  expect(await endLeftCommands(scratchDir, 5_000)).toEqual([left.family.pgid])
  expect(await ended).toEqual([null, 'SIGTERM'])
})

test('a group that has the same number and is another by now is left alone', async () => {
  const other = await command('other')
  createRunningList(scratchDir).add({ ...other.family, mark: 'SOP_OUTPUT=/elsewhere/of/another/output.1' })
  expect(await endLeftCommands(scratchDir, 5_000)).toEqual([])
  expect(other.child.exitCode ?? other.child.signalCode).toBe(null)
})

test.each([
  ['nothing', undefined],
  ['a torn line', '12'],
  ['what was never a group of a step', '0 SOP_OUTPUT=/a\n1 SOP_OUTPUT=/a\n-5 SOP_OUTPUT=/a\nx\n'],
])('%s in the list ends nothing', async (_, text) => {
  if (text !== undefined) writeFileSync(join(scratchDir, '.running'), text)
  expect(await endLeftCommands(scratchDir, 5_000)).toEqual([])
})

test('a folder that cannot be written fails no command', async () => {
  writeFileSync(join(scratchDir, 'file'), '')
  const list = createRunningList(join(scratchDir, 'file', 'below'))
  expect(() => list.add({ pgid: 4_000_001, mark: 'SOP_OUTPUT=/a/output.1' })).not.toThrow()
})
