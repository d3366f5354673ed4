import { existsSync } from 'node:fs'
import { ActivityCancellationDetails } from '@temporalio/common'
import { describe, expect, test } from 'vitest'
import type { ActivityDeps } from '../../src/activities/deps.ts'
import { withEnoughTime } from '../support/enough-time.ts'
import { bash, commandRig, isAlive, liveInGroup, writeScript } from './support/command-rig.ts'

// Every script writes its process group and the pids of its descendants, so that `ps` can be asked about them.

/** A tree of processes: one deaf to TERM, one in the background that holds the output, one below a subshell. */
const TREE = `
  echo $$ > pgid
  sleep 300 & echo $! > background
  (trap '' TERM; echo $BASHPID > deaf; while :; do sleep 1; done) &
  ( (sleep 300 & echo $! > grandchild; wait) & wait ) &
  echo started
  until [ -s background ] && [ -s deaf ] && [ -s grandchild ]; do sleep 0.01; done
  echo yes > ready
  wait`

/** A child that has left group and session and keeps the output open. */
const ESCAPEE = `
  echo $$ > pgid
  setsid bash -c 'trap "" TERM HUP; echo $$ > escaped; while :; do sleep 1; done' &
  until [ -s escaped ]; do sleep 0.01; done
  echo yes > ready
  sleep 300`

/** Temporal knows no open run. */
const CLOSED: Partial<ActivityDeps> = {
  admission: {
    request: async () => {},
    release: async () => {},
    yield: async () => {},
    findGone: async (runIds) => runIds,
  },
}

const gone = async (rig: ReturnType<typeof commandRig>, ...names: readonly string[]): Promise<void> => {
  expect(liveInGroup(Number(await rig.appears('pgid')))).toEqual([])
  for (const name of names) expect(isAlive(Number(await rig.appears(name))), name).toBe(false)
}

describe('runCommand() ends everything', () => {
  test('at its timeout: TERM, then KILL for what is deaf', { timeout: 120_000 }, async () => {
    const { rig, result, ms } = await withEnoughTime(2_000, async (timeoutMs) => {
      const one = commandRig()
      const ended = await one.run(bash(TREE), { timeoutMs, title: 'Deploy' })
      // Before the whole tree is there, its end tells nothing.
      return existsSync(one.path('ready')) ? { rig: one, result: ended, ms: timeoutMs } : undefined
    })
    expect(result).toMatchObject({
      outcome: 'timed_out',
      output: 'started\n',
      error: `"Deploy" took longer than ${ms / 1000}s and was ended`,
    })
    await gone(rig, 'background', 'deaf', 'grandchild')
  })

  test('when it is cancelled, and answers with a result', async () => {
    const rig = commandRig()
    const running = rig.run(bash(TREE), { title: 'Deploy' })
    await rig.appears('ready')
    rig.cancel('CANCELLED')
    expect(await running).toMatchObject({
      outcome: 'cancelled',
      error: expect.stringMatching(/^"Deploy" was cancelled/),
    })
    await gone(rig, 'background', 'deaf', 'grandchild')
  })

  test('what has left the group and keeps the output open as well', async () => {
    const rig = commandRig()
    const running = rig.run(bash(ESCAPEE))
    await rig.appears('ready')
    rig.cancel('CANCELLED')
    expect(await running).toMatchObject({ outcome: 'cancelled' })
    await gone(rig, 'escaped')
  })

  test('also a process that was stopped', async () => {
    // Nothing but TERM ends it within the time of this test.
    const rig = commandRig({ killGraceMs: 600_000 })
    const running = rig.run(bash('echo $$ > pgid; sleep 300 & kill -STOP $!; echo yes > ready; wait'))
    await rig.appears('ready')
    rig.cancel('CANCELLED')
    await running
    await gone(rig)
  })

  test('lets a command that listens to TERM clean up, and keeps what it prints meanwhile', async () => {
    const rig = commandRig({ killGraceMs: 10_000 })
    const running = rig.run(
      bash(`trap 'echo cleaned; echo a=1 >> $SOP_OUTPUT; exit 0' TERM; echo $$ > pgid; while :; do sleep 0.05; done`),
    )
    await rig.appears('pgid')
    rig.cancel('CANCELLED')
    const result = await running
    expect(result).toMatchObject({ outcome: 'cancelled', exitCode: 0, outputs: { a: '1' } })
    expect(result.output).toContain('cleaned\n')
    await gone(rig)
  })

  test('before it began, when the cancel was first', async () => {
    const rig = commandRig()
    rig.cancel('CANCELLED')
    expect(await rig.run(bash('touch ran'))).toMatchObject({ outcome: 'cancelled', output: '' })
    expect(existsSync(rig.path('ran'))).toBe(false)
  })

  test('and runs no further block', async () => {
    const rig = commandRig()
    const listening = `trap 'exit 0' TERM; echo $$ > pgid; while :; do sleep 0.05; done`
    const running = rig.run(bash(listening, 'touch second'))
    await rig.appears('pgid')
    rig.cancel('CANCELLED')
    expect(await running).toMatchObject({ outcome: 'cancelled' })
    expect(existsSync(rig.path('second'))).toBe(false)
  })

  test('when the worker shuts down, and fails the attempt', async () => {
    const rig = commandRig()
    const running = rig.run(bash(TREE)).then(
      () => 'a result',
      (error: { type?: string }) => error.type,
    )
    await rig.appears('ready')
    rig.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }))
    expect(await running).toBe('WorkerShutdown')
    await gone(rig, 'background', 'deaf', 'grandchild')
  })

  test('when the server does not know the activity any more, since the run is over', async () => {
    const rig = commandRig(CLOSED)
    const running = rig.run(bash(TREE))
    await rig.appears('ready')
    rig.cancel('NOT_FOUND', new ActivityCancellationDetails({ notFound: true }))
    expect((await running).outcome).toBe('cancelled')
    await gone(rig, 'background', 'deaf', 'grandchild')
  })

  test('an HTTP request too', async () => {
    const rig = commandRig()
    const { createServer } = await import('node:http')
    const server = createServer(() => rig.cancel('CANCELLED')).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const result = await rig.run({ kind: 'http', method: 'GET', url: `http://127.0.0.1:${port}/` })
    server.closeAllConnections()
    server.close()
    expect(result).toMatchObject({ outcome: 'cancelled' })
  })
})

describe('runCommand() does not end', () => {
  test.each(['TIMED_OUT', 'PAUSED', 'RESET'])('a healthy command because the server says %s', async (reason) => {
    const rig = commandRig()
    const running = rig.run(bash('echo $$ > pgid; until [ -e go ]; do sleep 0.02; done; echo done'))
    await rig.appears('pgid')
    rig.cancel(
      reason,
      new ActivityCancellationDetails({ timedOut: true, paused: reason === 'PAUSED', reset: reason === 'RESET' }),
    )
    writeScript(rig, 'go', '')
    expect(await running).toMatchObject({ outcome: 'ok', output: 'done\n' })
  })

  test('a healthy command because the server does not know its activity: the run may look for it', async () => {
    const rig = commandRig()
    const running = rig.run(bash('echo $$ > pgid; until [ -e go ]; do sleep 0.02; done; echo done'))
    await rig.appears('pgid')
    rig.cancel('NOT_FOUND', new ActivityCancellationDetails({ notFound: true }))
    await expect(running).rejects.toMatchObject({ type: 'Superseded' })
    expect(liveInGroup(Number(await rig.appears('pgid')))).not.toEqual([])
    expect(await rig.probe()).toEqual({ state: 'adoptable' })
    const adopted = rig.adopt(bash('never begun again'))
    writeScript(rig, 'go', '')
    expect(await adopted).toMatchObject({ outcome: 'ok', output: 'done\n', adopted: expect.any(String) })
  })

  test('but does when a cancel follows such a message', async () => {
    const rig = commandRig(CLOSED)
    const running = rig.run(bash('echo $$ > pgid; sleep 300'))
    await rig.appears('pgid')
    rig.cancel('TIMED_OUT', new ActivityCancellationDetails({ timedOut: true }))
    rig.cancel('NOT_FOUND', new ActivityCancellationDetails({ notFound: true }))
    expect((await running).outcome).toBe('cancelled')
    await gone(rig)
  })
})

describe('runCommand() waits', () => {
  test('for what a command that has ended still writes in the background', async () => {
    const rig = commandRig()
    const { output } = await rig.run(
      bash('exec > >(while read -r line; do sleep 0.1; echo "late $line"; done); echo a; echo b'),
    )
    expect(output).toBe('late a\nlate b\n')
  })

  test('not for ever: what goes on in the group is ended, and the log says so', async () => {
    const rig = commandRig()
    const result = await rig.run(bash('echo $$ > pgid; sleep 300 & echo $! > background; echo done'))
    expect(result).toMatchObject({ outcome: 'ok', exitCode: 0 })
    expect(result.output).toMatch(/^done\n\[sop\] The command had ended, but processes .* were ended/)
    await gone(rig, 'background')
  })

  test('not for a daemon that has left the group: that lives on, and the step ends', async () => {
    const rig = commandRig()
    const result = await rig.run(
      bash(
        'echo $$ > pgid; setsid bash -c "echo \\$\\$ > daemon; sleep 300" & until [ -s daemon ]; do sleep 0.01; done; echo done',
      ),
    )
    expect(result).toMatchObject({ outcome: 'ok' })
    expect(result.output).toMatch(/^done\n\[sop\] A process outside of the step still holds its output/)
    const daemon = Number(await rig.appears('daemon'))
    expect(isAlive(daemon)).toBe(true)
    process.kill(-daemon, 'SIGKILL')
  })
})

describe('runCommand() beats', () => {
  test('soon and then every second, with what is needed to find its processes', async () => {
    const rig = commandRig({ hostId: 'host-of-the-test' })
    const beats: unknown[] = []
    rig.env.on('heartbeat', (details: unknown) => beats.push(details))
    const running = rig.run(bash('echo $$ > pgid; until [ -e go ]; do sleep 0.05; done'))
    // The first ones may come before there is a process.
    const withPid = () => beats.filter((details) => (details as { readonly pid?: number }).pid !== undefined)
    while (withPid().length < 3) await new Promise((resolve) => setTimeout(resolve, 20))
    writeScript(rig, 'go', '')
    const result = await running
    const pgid = Number(await rig.appears('pgid'))
    expect(beats[0]).toMatchObject({ hostId: 'host-of-the-test' })
    expect(withPid()[2]).toEqual({
      host: expect.any(String),
      hostId: 'host-of-the-test',
      pid: pgid,
      pgid,
      startedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    })
    expect(result.durationMs).toBeGreaterThan(1900)
  })
})
