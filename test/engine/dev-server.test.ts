import { once } from 'node:events'
import { execFile, spawn } from 'node:child_process'
import { access, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client, Connection } from '@temporalio/client'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { recordDb } from '../../src/engine/db-version.ts'
import { type DevServer, type DevServerOptions, startDevServer } from '../../src/engine/dev-server.ts'
import { identifyProcess, isAlive, type ProcessIdentity } from '../../src/engine/process-identity.ts'
import { SEARCH_ATTRIBUTES } from '../../src/engine/search-attributes.ts'
import { DYNAMIC_CONFIG } from '../../src/engine/server-flags.ts'
import { endLeftoverServer } from '../../src/engine/server-process.ts'
import type { TemporalBinary } from '../../src/engine/temporal-binary.ts'
import { createLog } from '../../src/log.ts'
import { freePorts } from '../../scripts/free-port.mjs'
import { testBinary } from '../support/temporal-server.ts'

// A server takes seconds to start where others want the processor as well.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 })

let binary: TemporalBinary
let folder: string
let logged: string
const servers: DevServer[] = []

beforeAll(async () => {
  binary = await testBinary()
}, 900_000)
beforeEach(async () => {
  // Signs that mean something to shells, URLs and SQLite's own file names.
  folder = join(await mkdtemp(join(tmpdir(), 'sop server-')), 'da ta #?%41&')
  logged = ''
})
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
  await rm(join(folder, '..'), { recursive: true, force: true })
})

const log = () => createLog({ level: 'debug', out: { write: (text) => void (logged += text) }, format: 'json' })
const start = async (options: Partial<DevServerOptions> = {}): Promise<DevServer> => {
  const progress = { note: (line: string) => void (logged += `${line}\n`), wait: () => {} }
  const defaults = { binary, folder, env: process.env, namespace: 'default', port: 0, retentionDays: 30 }
  const server = await startDevServer({ ...defaults, log: log(), progress, ...options })
  servers.push(server)
  return server
}
const stopped = async (server: DevServer): Promise<void> => {
  await server.stop()
  servers.splice(servers.indexOf(server), 1)
}
const withClient = async <T>(server: DevServer, use: (client: Client) => Promise<T>): Promise<T> => {
  const { address, namespace } = server.target
  const connection = await Connection.connect({ address })
  try {
    return await use(new Client({ connection, namespace }))
  } finally {
    await connection.close()
  }
}
const identify = async (pid: number | undefined): Promise<ProcessIdentity> => {
  const identity = await identifyProcess(pid ?? 0)
  if (identity === undefined) throw new Error(`no process ${pid}`)
  return identity
}
const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come to hold within 60 s')
    await sleep(20)
  }
}

describe('startDevServer()', () => {
  test('keeps workflows, search attributes and 30 days of retention through a restart', async () => {
    const first = await start({ namespace: 'ops', uiPort: 0 })
    const workflowId = 'sop_run_1'
    await withClient(first, (client) =>
      client.workflow.start('runSop', {
        workflowId,
        taskQueue: 'sop',
        searchAttributes: { SopName: ['deploy'], SopPriority: [1] },
      }),
    )
    // The server opens its pages beside its own port.
    await until(() =>
      fetch(first.target.uiUrl ?? '').then(
        ({ status }) => status === 200,
        () => false,
      ),
    )
    await stopped(first)
    const second = await start({ namespace: 'ops' })
    expect(second.target.uiUrl).toBeUndefined()
    await withClient(second, async (client) => {
      const found = await client.workflow.getHandle(workflowId).describe()
      expect(found).toMatchObject({
        status: { name: 'RUNNING' },
        searchAttributes: { SopName: ['deploy'], SopPriority: [1] },
      })
      const { config } = await client.connection.workflowService.describeNamespace({ namespace: 'ops' })
      expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(2_592_000)
    })
  })

  test('adds search attributes that a file of an earlier engine lacks, and runs can use them at once', async () => {
    const first = await start()
    await withClient(first, async ({ connection }) => {
      const operator = (connection as Connection).operatorService
      await operator.removeSearchAttributes({ namespace: 'default', searchAttributes: ['SopWaitingOn', 'SopDeadline'] })
    })
    await stopped(first)
    const second = await start()
    await withClient(second, async (client) => {
      const { customAttributes } = await (client.connection as Connection).operatorService.listSearchAttributes({
        namespace: 'default',
      })
      expect(customAttributes).toMatchObject({ SopWaitingOn: 7, SopDeadline: 6 })
      expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(Object.keys(SEARCH_ATTRIBUTES)))
      const searchAttributes = { SopWaitingOn: ['start'], SopDeadline: [new Date(0)] }
      await client.workflow.start('runSop', { workflowId: 'a', taskQueue: 'sop', searchAttributes })
    })
  })

  test('lets nobody start an activity without a run', async () => {
    const server = await start()
    const args = [
      'activity',
      'execute',
      '--address',
      server.target.address,
      '--type',
      'runShell',
      '--task-queue',
      'sop',
    ]
    const child = spawn(binary.path, [...args, '--activity-id', 'a', '--start-to-close-timeout', '5s'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (chunk) => void (said += String(chunk)))
    const [code] = await once(child, 'close')
    expect([code, said]).toEqual([1, expect.stringContaining('Standalone activity is disabled')])
  })

  test('gives the server the tuned settings and none of our environment that holds a credential', async () => {
    const server = await start({ env: { ...process.env, TEMPORAL_API_KEY: 'geheim', AWS_SECRET_ACCESS_KEY: 'geheim' } })
    const of = (file: string) => readFile(`/proc/${server.pid()}/${file}`, 'utf8')
    const flags = (await of('cmdline')).split('\0')
    for (const [key, value] of Object.entries(DYNAMIC_CONFIG)) expect(flags).toContain(`${key}=${value}`)
    expect(flags).toEqual(expect.arrayContaining(['journal_mode=WAL', 'synchronous=FULL', '--headless', '127.0.0.1']))
    expect(await of('environ')).not.toContain('geheim')
  })

  test('ends with stop() and leaves no record behind', async () => {
    const server = await start()
    const identity = await identify(server.pid())
    await access(join(folder, 'server.json'))
    await stopped(server)
    expect(await isAlive(identity)).toBe(false)
    await expect(access(join(folder, 'server.json'))).rejects.toThrow('ENOENT')
    await server.stop()
  })

  test('starts the server again on the same port when it ends by itself', async () => {
    // One that the system gives to nobody meanwhile.
    const [port = 0] = await freePorts(1)
    const server = await start({ port })
    const [before, address] = [await identify(server.pid()), server.target.address]
    process.kill(before.pid, 'SIGKILL')
    await until(() => server.pid() !== undefined && server.pid() !== before.pid)
    expect(logged).toMatch(/Temporal ended unexpectedly: it was ended by SIGKILL[^]*Temporal runs again/)
    expect(server.target.address).toBe(address)
    await withClient(server, (client) => client.connection.workflowService.getSystemInfo({}))
    const after = await identify(server.pid())
    await stopped(server)
    expect(await isAlive(after)).toBe(false)
  })

  test('can be stopped while it starts the server again', async () => {
    const server = await start()
    const pid = server.pid()
    process.kill(pid ?? 0, 'SIGKILL')
    await until(() => server.pid() === undefined)
    await stopped(server)
    expect(await endLeftoverServer(folder)).toBe(false)
  })
})

describe('startDevServer() refuses', () => {
  const taken = createServer()
  beforeAll(async () => {
    taken.listen(0, '127.0.0.1')
    await once(taken, 'listening')
    return () => promisify(taken.close.bind(taken))()
  })
  const port = () => (taken.address() as AddressInfo).port

  test('a port that another program uses, with the way out', async () => {
    await expect(start({ port: port() })).rejects.toMatchObject({
      code: 'conflict',
      message:
        `Cannot start Temporal on port ${port()}: another program uses it. Set SOP_TEMPORAL_PORT to another port (0 picks a free one), ` +
        `or set TEMPORAL_ADDRESS=127.0.0.1:${port()} if a Temporal server runs there that you want to use`,
    })
    const [free = 0] = await freePorts(1)
    await expect(start({ port: free, uiPort: port() })).rejects.toThrow(
      `Cannot start Temporal's Web UI on port ${port()}: another program uses it. Set SOP_TEMPORAL_UI_PORT to another port`,
    )
  })

  test("no port for the UI when the server's own is picked: the UI's usual one is a wish", async () => {
    const server = await start({ port: 0, uiPort: port() })
    expect(server.target.uiUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(server.target.uiUrl).not.toContain(`:${port()}`)
  })

  test('a database of a later server, before the server sees it', async () => {
    await stopped(await start())
    await recordDb(folder, '1.99.0')
    const before = await readFile(join(folder, 'temporal.db'))
    await expect(start()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('later server 1.99.0'),
    })
    expect(await readFile(join(folder, 'temporal.db'))).toEqual(before)
    await recordDb(folder, '1.31.0')
    await start()
    expect(logged).toContain(`Copied Temporal's database to ${join(folder, 'backup-1.31.0-')}`)
    expect(JSON.parse(await readFile(join(folder, 'version.json'), 'utf8'))).toEqual({
      server: binary.serverVersion,
      state: 'ready',
    })
  })

  /** Commands of the processes that run the program at this path. */
  const processesOf = async (path: string): Promise<readonly string[]> => {
    const { stdout } = await promisify(execFile)('ps', ['-axww', '-o', 'args='], { maxBuffer: 100_000_000 })
    return stdout.split('\n').filter((line) => line.includes(path))
  }
  const failing = async (body: string): Promise<TemporalBinary> => {
    const path = join(folder, '..', 'failing')
    await writeFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 })
    return { ...binary, path }
  }

  test('a server that ends at once, with what it said', async () => {
    await expect(
      start({ binary: await failing('echo "old words" >&2; echo "disk on fire"; exit 3') }),
    ).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(
        /: it exited with 3; it said:\nold words\ndisk on fire\. Its log is .*server\.log$/,
      ),
    })
    await expect(start({ binary: { ...binary, path: '/nowhere/temporal' } })).rejects.toThrow(/ENOENT/)
  })

  test('a server that never gets ready, and ends it', async () => {
    const silent = await failing('while :; do sleep 1; done')
    const begun = performance.now()
    const message = await start({ binary: silent, readyTimeoutMs: 300 }).then(String, (error: Error) => error.message)
    const [, seconds] = /it was not ready after (\d+\.\d) s/.exec(message) ?? [message, message]
    expect(Number(seconds), message).toBeGreaterThanOrEqual(0.3)
    expect(Number(seconds)).toBeLessThanOrEqual((performance.now() - begun) / 1_000 + 0.1)
    // It may have been ended before it came to its first line.
    expect(await processesOf(silent.path)).toEqual([])
  })

  test('to go on when the caller gives up, and ends the server', async () => {
    const controller = new AbortController()
    const silent = await failing('echo $$ > pid; exec sleep 600')
    const starting = start({ binary: silent, signal: controller.signal })
    const caught = expect(starting).rejects.toThrow('Ctrl-C')
    await until(() =>
      access(join(folder, 'pid')).then(
        () => true,
        () => false,
      ),
    )
    controller.abort(new Error('Ctrl-C'))
    await caught
    expect(await identifyProcess(Number(await readFile(join(folder, 'pid'), 'utf8')))).toBeUndefined()
  })
})

describe('the log of the server', () => {
  test('is put aside once it is large', async () => {
    await stopped(await start())
    await truncate(join(folder, 'server.log'), 10_000_001)
    await start()
    expect((await stat(join(folder, 'server.log.1'))).size).toBe(10_000_001)
    expect((await stat(join(folder, 'server.log'))).size).toBeLessThan(100_000)
  })
})

describe('endLeftoverServer()', () => {
  test('does nothing where there is none', async () => {
    expect(await endLeftoverServer(join(folder, '..'))).toBe(false)
  })

  test('leaves a process alone that only has the recorded pid', async () => {
    const parent = join(folder, '..')
    await writeFile(join(parent, 'server.json'), JSON.stringify({ pid: process.pid, startedAt: 'earlier' }))
    expect(await endLeftoverServer(parent)).toBe(false)
    await expect(access(join(parent, 'server.json'))).rejects.toThrow('ENOENT')
  })
})
