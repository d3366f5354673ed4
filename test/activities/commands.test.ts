import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import { expect, onTestFinished, test } from 'vitest'
import { type Commands, createCommands } from '../../src/activities/commands.ts'
import { createHostActivities } from '../../src/activities/index.ts'
import { openSpool, spoolFolder } from '../../src/activities/spool.ts'
import type { CommandResult, ProbeAnswer } from '../../src/core/run/task.ts'
import { bash, type CommandRig, commandRig, inLanguage, isAlive, taskOf, writeScript } from './support/command-rig.ts'

// What a worker finds of commands that another one began on the same host. That one stays out of the game: its memory is not
// asked, as if it had been killed.

const LOST = { runId: 'sop_run_1', executionId: '00000000-0000-0000-0000-000000000000', activityId: 'test' }
const TASK = {
  key: `${LOST.executionId}/${LOST.activityId}`,
  runId: 'sop_run_1',
  executableId: 'step:1',
  attempt: 1,
  stepNumber: 1,
  kind: 'shell',
  block: 0,
  logBytes: 0,
} as const
const LONG = 'echo $$ > pid; echo begun; until [ -e go ]; do sleep 0.02; done; echo x=1 >> $SOP_OUTPUT; echo done'

/** The default of a second is less than a machine may stand still for. */
const PATIENCE = { timeout: 20_000 }

interface Next {
  readonly commands: Commands
  probe(): Promise<ProbeAnswer>
  adopt(script: string, ...more: readonly string[]): Promise<CommandResult>
}

/** The next worker of the rig's host. */
const nextWorker = (rig: CommandRig, changes: Partial<CommandRig['deps']> = {}): Next => {
  const deps = { ...rig.deps, ...changes }
  const commands = createCommands(deps)
  onTestFinished(() => commands.close())
  const host = createHostActivities(deps, commands)
  const env = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => {}) })
  return {
    commands,
    probe: () => host.probeCommand(LOST),
    adopt: (...scripts) => env.run(host.adoptCommand, { task: taskOf(bash(...scripts), {}), lost: LOST }),
  }
}

const keepersOf = (rig: CommandRig): readonly number[] => {
  const names = readdirSync(spoolFolder(rig.deps.scratchDir))
  const pids = names.map((name) => /^([1-9]\d*)\./.exec(name)?.[1]).filter((pid) => pid !== undefined)
  return [...new Set(pids)]
    .map(Number)
    .filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('keeper'))
}
const killKeepers = async (rig: CommandRig): Promise<void> => {
  const pids = keepersOf(rig)
  expect(pids).not.toEqual([])
  for (const pid of pids) process.kill(pid, 'SIGKILL')
  await expect.poll(() => pids.some(isAlive), PATIENCE).toBe(false)
}

test('a running command is adopted with what it has printed, and its outputs', async () => {
  const rig = commandRig()
  const first = rig.run(bash(LONG)).catch(() => undefined)
  const pid = Number(await rig.appears('pid'))
  await expect.poll(() => rig.log(), PATIENCE).toBe('begun\n')
  const next = nextWorker(rig)
  expect(await next.probe()).toEqual({ state: 'adoptable' })
  const adopted = next.adopt(LONG)
  writeScript(rig, 'go', '')
  expect(await adopted).toMatchObject({ outcome: 'ok', exitCode: 0, output: 'begun\ndone\n', outputs: { x: '1' } })
  expect(isAlive(pid)).toBe(false)
  await first
})

test('a step goes on with the blocks that have not begun, and keeps the outputs of those before', async () => {
  const rig = commandRig()
  const scripts = ['echo a=1 >> $SOP_OUTPUT; echo one', `${LONG}; exit 0`, 'echo "three $a"; echo b=2 >> $SOP_OUTPUT']
  const spool = openSpool(rig.deps.scratchDir)
  void rig.run(bash(...scripts)).catch(() => undefined)
  await rig.appears('pid')
  expect(spool.list().map(({ task }) => task.block)).toEqual([0, 1])
  const adopted = nextWorker(rig).adopt('never', LONG, 'echo "three"; echo b=2 >> $SOP_OUTPUT')
  writeScript(rig, 'go', '')
  expect(await adopted).toMatchObject({
    outcome: 'ok',
    output: 'one\nbegun\ndone\nthree\n',
    outputs: { a: '1', x: '1', b: '2' },
  })
})

test('what ended meanwhile is taken with its end', async () => {
  const rig = commandRig()
  expect(await rig.run(bash('echo oh; exit 7'))).toMatchObject({ exitCode: 7 })
  const next = nextWorker(rig)
  expect(await next.probe()).toEqual({ state: 'adoptable' })
  expect(await next.adopt('never')).toMatchObject({ outcome: 'failed', exitCode: 7, output: 'oh\n' })
  expect(await rig.log()).toBe('oh\n')
})

test('what did not begin never will: neither by the worker that was lost nor twice', async () => {
  const rig = commandRig()
  const spool = openSpool(rig.deps.scratchDir)
  const next = nextWorker(rig)
  expect(await next.probe()).toEqual({ state: 'none' })
  const entry = spool.make()
  spool.claim(entry, { ...TASK, startedAt: new Date().toISOString() })
  expect(await nextWorker(rig).probe()).toEqual({ state: 'never' })
  expect(spool.list()).toEqual([])
})

test('what may have begun is never said not to have begun', async () => {
  const rig = commandRig()
  const spool = openSpool(rig.deps.scratchDir)
  const entry = spool.make()
  spool.claim(entry, { ...TASK, startedAt: new Date().toISOString() })
  // The keeper was killed after it had made the file, and before or after it had begun the command.
  writeFileSync(join(spool.folder, entry, 'out'), '')
  expect(await nextWorker(rig).probe()).toMatchObject({ state: 'lost' })
  expect(spool.list()).toHaveLength(1)
})

test('a command goes on when its keeper is killed, and then nobody knows how it ended', async () => {
  const rig = commandRig()
  const running = rig.run(bash(LONG))
  await rig.appears('pid')
  await killKeepers(rig)
  writeScript(rig, 'go', '')
  await expect(running).rejects.toMatchObject({ type: 'ResultLost' })
  expect(await rig.log()).toBe('begun\ndone\n')
  expect(await rig.run(inLanguage('sh', 'echo again'))).toMatchObject({ outcome: 'ok', output: 'again\n' })
})

test('a command that died with its keeper is lost', async () => {
  const rig = commandRig()
  void rig.run(bash(LONG)).catch(() => undefined)
  const pid = Number(await rig.appears('pid'))
  await killKeepers(rig)
  process.kill(-pid, 'SIGKILL')
  await expect.poll(() => isAlive(pid), PATIENCE).toBe(false)
  expect(await nextWorker(rig).probe()).toMatchObject({ state: 'lost', reason: expect.stringContaining('died') })
})

test.each([
  ['ends what its run does not wait for any more, and says so in the log', false],
  ['leaves alone what its run waits for', true],
])('a worker that comes back %s', async (_, isWanted) => {
  const rig = commandRig()
  void rig.run(bash(LONG)).catch(() => undefined)
  const pid = Number(await rig.appears('pid'))
  const orphans: unknown[] = []
  const next = nextWorker(rig, { isWanted: async () => isWanted, onOrphan: (orphan) => void orphans.push(orphan) })
  await next.commands.sweep()
  expect(isAlive(pid)).toBe(isWanted)
  expect(orphans).toEqual(isWanted ? [] : [{ runId: 'sop_run_1', executableId: 'step:1', processGroup: pid }])
  if (!isWanted) expect(await rig.log()).toContain('[sop] The worker of this command was lost')
  writeScript(rig, 'go', '')
})

test('a command waits while its output is not read, and none of it is lost', async () => {
  const rig = commandRig()
  const { length } = 'x'.repeat(100)
  const result = await rig.run(bash(`head -c ${length * 1_000_000} /dev/zero | tr '\\0' x; echo end`))
  expect(result).toMatchObject({ outcome: 'ok', logBytes: length * 1_000_000 + 4 })
  expect(result.output.endsWith('xxxend\n')).toBe(true)
})

test('a group that has the number of a dead command and is another by now is left alone', async () => {
  const rig = commandRig()
  const spool = openSpool(rig.deps.scratchDir)
  const other = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' })
  await once(other, 'spawn')
  onTestFinished(() => void other.kill('SIGKILL'))
  const entry = spool.make()
  spool.claim(entry, { ...TASK, startedAt: new Date().toISOString() })
  writeFileSync(join(spool.folder, entry, 'out'), '')
  spool.note(entry, `began ${other.pid}`)
  const next = nextWorker(rig, { isWanted: async () => false })
  expect(await next.probe()).toMatchObject({ state: 'lost' })
  await next.commands.sweep()
  expect(isAlive(other.pid ?? 0)).toBe(true)
  expect(spool.list()).toEqual([])
})
