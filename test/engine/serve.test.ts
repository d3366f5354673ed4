import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client, Connection } from '@temporalio/client'
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { requireConfig } from '../../src/config.ts'
import { readEngineFile } from '../../src/engine/engine-file.ts'
import { identifyProcess, isAlive, type ProcessIdentity } from '../../src/engine/process-identity.ts'
import { type RunningEngine, serve, type ServeOptions } from '../../src/engine/serve.ts'
import { endLeftoverServer } from '../../src/engine/server-process.ts'
import { createLog } from '../../src/log.ts'

// An engine with its server takes many seconds to start where others want the processor as well.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 })

let home: string
const engines: RunningEngine[] = []
const children: EngineProcess[] = []

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sop serve-'))
})
afterEach(async () => {
  for (const engine of engines.splice(0)) await engine.stop()
  for (const child of children.splice(0)) await child.end()
  await rm(home, { recursive: true, force: true })
})

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 120_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come to hold within 120 s')
    await sleep(20)
  }
}
const identify = async (pid: number): Promise<ProcessIdentity> => {
  const identity = await identifyProcess(pid)
  if (identity === undefined) throw new Error(`no process ${pid}`)
  return identity
}

/** An engine in a process of its own (`engine-process.ts`). */
class EngineProcess {
  readonly child: ChildProcess
  readonly dataDir: string
  /** Fulfilled when it has ended and all that it said has been read. */
  readonly ended: Promise<[number | null, string | null]>
  said = ''
  private isOver = false

  constructor(dataDir: string, { fault = '', env = {} }: { fault?: string; env?: Record<string, string> } = {}) {
    const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
    const args = ['--import', path('../support/register-ts.mjs'), path('engine-process.ts'), dataDir, fault]
    this.dataDir = dataDir
    this.child = spawn(process.execPath, args, {
      cwd: home,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own, as a terminal gives to what it runs.
      detached: true,
    })
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk) => void (this.said += String(chunk)))
    this.ended = once(this.child, 'close') as Promise<[number | null, string | null]>
    void this.ended.then(() => (this.isOver = true))
    children.push(this)
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  async says(text: string): Promise<void> {
    await until(() => {
      if (!this.said.includes(text) && this.isOver) throw new Error(`it ended: ${this.said}`)
      return this.said.includes(text)
    })
  }

  async signal(signal: NodeJS.Signals): Promise<[number | null, string | null]> {
    this.child.kill(signal)
    return this.ended
  }

  /** The Temporal server that belongs to it. */
  async server(): Promise<ProcessIdentity> {
    const recorded: unknown = JSON.parse(await readFile(join(this.dataDir, 'temporal', 'server.json'), 'utf8'))
    return await identify((recorded as { pid: number }).pid)
  }

  async end(): Promise<void> {
    await this.signal('SIGTERM')
    // Only a test that fails leaves one.
    await endLeftoverServer(join(this.dataDir, 'temporal')).catch(() => false)
  }
}

const startWorkflow = async (dataDir: string, workflowId: string): Promise<void> => {
  const connection = await Connection.connect({ address: await addressOf(dataDir) })
  await new Client({ connection }).workflow.start('runSop', { workflowId, taskQueue: 'sop' })
  await connection.close()
}
const statusOf = async (dataDir: string, workflowId: string): Promise<string> => {
  const connection = await Connection.connect({ address: await addressOf(dataDir) })
  const found = await new Client({ connection }).workflow.getHandle(workflowId).describe()
  await connection.close()
  return found.status.name
}
const addressOf = async (dataDir: string): Promise<string> => {
  const found = await readEngineFile(dataDir)
  return found.state === 'absent' ? '' : found.engine.temporal.address
}

describe('an engine process', () => {
  test('says where it is, stops in order on SIGINT with exit code 0, and leaves nothing running', async () => {
    const engine = new EngineProcess(join(home, 'data'))
    await engine.says('ready')
    const found = await readEngineFile(engine.dataDir)
    expect(found).toMatchObject({
      state: 'running',
      engine: {
        url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        pid: engine.pid,
        version: '0.0.0-test',
        tokenPath: join(engine.dataDir, 'token'),
        temporal: { address: expect.stringMatching(/^127\.0\.0\.1:\d+$/), namespace: 'default' },
      },
    })
    const url = found.state === 'running' ? found.engine.url : ''
    expect(engine.said).toContain(
      `SOP Engine 0.0.0-test is up\n  page      ${url}\n  API       ${url}/api/v1\n  data      ${engine.dataDir}\n`,
    )
    expect(engine.said).toContain(`export SOP_DATA_DIR='${engine.dataDir}'\n  npx sop list `)
    expect(await (await fetch(url)).text()).toBe('ok')
    const server = await engine.server()
    expect(await engine.signal('SIGINT')).toEqual([0, null])
    expect(engine.said.match(/^(worker|api|ended).*/gm)).toEqual([
      'worker starts',
      'api starts',
      'api stops',
      'worker stops',
      'ended 0',
    ])
    expect(await isAlive(server)).toBe(false)
    expect((await readdir(engine.dataDir)).sort()).toEqual(['temporal'])
    expect((await readdir(join(engine.dataDir, 'temporal'))).filter((name) => /server\.json|tmp/.test(name))).toEqual(
      [],
    )
  })

  test('keeps its server until the worker has stopped when Ctrl-C reaches the whole process group', async () => {
    const engine = new EngineProcess(join(home, 'data'))
    await engine.says('ready')
    const server = await engine.server()
    process.kill(-engine.pid, 'SIGINT')
    expect(await engine.ended).toEqual([0, null])
    expect(engine.said).toContain('server is there\n')
    expect(await isAlive(server)).toBe(false)
  })

  test('is followed by one that goes on with its runs, after it was killed', async () => {
    const dataDir = join(home, 'data')
    const first = new EngineProcess(dataDir)
    await first.says('ready')
    await startWorkflow(dataDir, 'sop_run_1')
    const server = await first.server()
    expect(await first.signal('SIGKILL')).toEqual([null, 'SIGKILL'])
    expect((await readEngineFile(dataDir)).state).toBe('stale')
    // Nobody has to start another engine for the server to end.
    await until(async () => !(await isAlive(server)))
    const second = new EngineProcess(dataDir)
    await second.says('ready')
    expect(await statusOf(dataDir, 'sop_run_1')).toBe('RUNNING')
    expect(await second.signal('SIGTERM')).toEqual([0, null])
  })

  test('ends the server of a killed one whose guard was killed as well, and goes on with its runs', async () => {
    const dataDir = join(home, 'data')
    const first = new EngineProcess(dataDir)
    await first.says('ready')
    await startWorkflow(dataDir, 'sop_run_1')
    const server = await first.server()
    for (const guard of await guardsOf(first.pid)) process.kill(guard, 'SIGKILL')
    await first.signal('SIGKILL')
    await sleep(200)
    expect(await isAlive(server)).toBe(true)
    // As if the engine had been killed before it could record its server.
    if (process.platform === 'linux') await rm(join(dataDir, 'temporal', 'server.json'))
    const second = new EngineProcess(dataDir)
    await second.says('ready')
    expect(second.said).toContain('Ended the Temporal server that an engine left here when it was killed')
    expect(await isAlive(server)).toBe(false)
    expect(await statusOf(dataDir, 'sop_run_1')).toBe('RUNNING')
  })

  test('ends at once on a second signal, and its server with it', async () => {
    const engine = new EngineProcess(join(home, 'data'), { fault: 'worker hangs' })
    await engine.says('ready')
    const server = await engine.server()
    engine.child.kill('SIGINT')
    await engine.says('worker stops')
    // Again and again: signals that come right after the first count as the first.
    const again = setInterval(() => engine.child.kill('SIGINT'), 100)
    expect(await engine.ended).toEqual([130, null])
    clearInterval(again)
    await until(async () => !(await isAlive(server)))
  })

  test('stops on a signal that comes while it starts', async () => {
    const cliPath = join(home, 'slow temporal')
    const version = 'temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)'
    await writeFile(
      cliPath,
      `#!/bin/sh\n[ "$1" = --version ] && { echo '${version}'; exit; }\necho $$ > pid; exec sleep 600\n`,
      { mode: 0o755 },
    )
    const engine = new EngineProcess(join(home, 'data'), { env: { TEMPORAL_CLI_PATH: cliPath } })
    const pidFile = join(engine.dataDir, 'temporal', 'pid')
    await until(() =>
      access(pidFile).then(
        () => true,
        () => false,
      ),
    )
    expect(await engine.signal('SIGTERM')).toEqual([1, null])
    expect(engine.said).toContain('error unavailable Cannot start the engine: SIGTERM came before it was up')
    expect(engine.said).not.toContain('worker')
    expect(await identifyProcess(Number(await readFile(pidFile, 'utf8')))).toBeUndefined()
    expect(await readdir(engine.dataDir)).toEqual(['temporal'])
  })

  test('runs beside others with data directories of their own, and refuses to share one', async () => {
    const [one, two] = [new EngineProcess(join(home, 'one')), new EngineProcess(join(home, 'two'))]
    await Promise.all([one.says('ready'), two.says('ready')])
    expect(await addressOf(one.dataDir)).not.toBe(await addressOf(two.dataDir))
    const third = new EngineProcess(one.dataDir)
    await third.ended
    expect(third.said).toContain(
      `error conflict Cannot use data directory "${one.dataDir}": the engine with pid ${one.pid} uses it and answers at http://`,
    )
    expect((await readEngineFile(one.dataDir)).state).toBe('running')
  })
})

const guardsOf = async (pid: number): Promise<readonly number[]> => {
  const ps = spawn('ps', ['-o', 'pid=,args=', '--ppid', String(pid)])
  let text = ''
  for await (const chunk of ps.stdout) text += String(chunk)
  const guards = text.split('\n').filter((line) => line.includes('read -r _'))
  expect(guards).toHaveLength(1)
  return guards.map((line) => Number.parseInt(line, 10))
}

describe('serve()', () => {
  let logged = ''
  let order: string[] = []
  beforeEach(() => {
    logged = ''
    order = []
  })

  const start = async (
    options: Partial<ServeOptions> = {},
    env: Record<string, string> = {},
  ): Promise<RunningEngine> => {
    const log = createLog({ out: { write: (text) => void (logged += text) }, format: 'json' })
    const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')))
    const overrides = { dataDir: join(home, 'data'), 'temporal.port': '0', 'temporal.uiPort': '0' }
    const { config, environment } = requireConfig({ env: { ...clean, HOME: home, ...env }, cwd: home, overrides })
    const engine = await serve({
      config,
      env: environment,
      log,
      out: { write: (text) => void (logged += text) },
      version: '1.2.3',
      handleSignals: false,
      startWorker: async () => ({ stop: async () => void order.push('worker') }),
      startApi: async () => ({ url: 'http://api', stop: async () => void order.push('api') }),
      ...options,
    })
    engines.push(engine)
    return engine
  }
  const shared = (more: Record<string, string> = {}) => ({ TEMPORAL_ADDRESS: inject('temporalAddress'), ...more })

  test('uses the server that TEMPORAL_ADDRESS names and starts none', async () => {
    const engine = await start({}, shared())
    expect(engine.temporal).toMatchObject({ address: inject('temporalAddress'), namespace: 'default', embedded: false })
    expect(engine.file.temporal).toEqual({ address: inject('temporalAddress'), namespace: 'default' })
    expect(await readdir(join(home, 'data', 'temporal'))).toEqual([])
    expect(logged).toContain(`Using Temporal at ${inject('temporalAddress')}, namespace default`)
  })

  test('uses the server of a Temporal profile', async () => {
    const path = join(home, 'temporal.toml')
    await writeFile(path, `[profile.ops]\naddress = "${inject('temporalAddress')}"\nnamespace = "default"\n`)
    const engine = await start({}, { TEMPORAL_CONFIG_FILE: path, TEMPORAL_PROFILE: 'ops' })
    expect(engine.temporal).toMatchObject({ address: inject('temporalAddress'), embedded: false })
  })

  test.each([
    [
      'an address where nothing is',
      { TEMPORAL_ADDRESS: '127.0.0.1:9' },
      'unavailable',
      /^Cannot reach Temporal at "127\.0\.0\.1:9": .*TEMPORAL_ADDRESS/,
    ],
    [
      'a profile that is not there',
      { TEMPORAL_PROFILE: 'nowhere' },
      'invalid',
      /^Cannot read Temporal profile "nowhere": .*TEMPORAL_CONFIG_FILE/,
    ],
  ])('refuses %s', async (_, env, code, message) => {
    await expect(start({}, env as never)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('refuses a namespace that is not there, and says how to make it', async () => {
    await expect(start({}, shared({ TEMPORAL_NAMESPACE: 'nowhere' }))).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringMatching(
        /^Cannot use namespace "nowhere": .*temporal operator namespace create --namespace nowhere --retention 720h/,
      ),
    })
    expect(await readdir(join(home, 'data'))).toEqual(['temporal'])
  })

  test('stops on a signal that comes in the last moment of the start', async () => {
    const listeners = process.listenerCount('SIGHUP')
    const startApi = async () => {
      setImmediate(() => process.emit('SIGHUP'))
      return { url: 'http://api', stop: async () => void order.push('api') }
    }
    const started = await start({ startApi, handleSignals: true }, shared()).catch((error: Error) => error)
    if (started instanceof Error) expect(started.message).toContain('SIGHUP came before it was up')
    else expect(await started.ended).toBe(0)
    expect(order).toEqual(['api', 'worker'])
    expect(process.listenerCount('SIGHUP')).toBe(listeners)
  })

  test('stops what it has started when the next part does not start', async () => {
    const failing = start({ startApi: () => Promise.reject(new Error('port taken')) }, shared())
    await expect(failing).rejects.toThrow('port taken')
    expect(order).toEqual(['worker'])
    expect(await readdir(join(home, 'data'))).toEqual(['temporal'])
  })

  test('stops with exit code 1 when its worker fails', async () => {
    let fail: (error: Error) => void = () => {}
    const failed = new Promise<never>((_, reject) => {
      fail = reject
    })
    const engine = await start(
      { startWorker: async () => ({ failed, stop: async () => void order.push('worker') }) },
      shared(),
    )
    fail(new Error('poller broke'))
    expect(await engine.ended).toBe(1)
    expect(order).toEqual(['api', 'worker'])
    expect(logged).toContain('The worker ended unexpectedly: poller broke')
  })

  test('stops once however often it is told to, also when a part fails to stop', async () => {
    const startApi = async () => ({
      url: 'http://api',
      stop: async () => {
        order.push('api')
        throw new Error('stuck')
      },
    })
    const engine = await start({ startApi }, shared())
    await Promise.all([engine.stop(), engine.stop()])
    expect(order).toEqual(['api', 'worker'])
    expect(await engine.ended).toBe(0)
    expect(logged).toContain('Cannot stop the API in order: stuck')
    expect((await readEngineFile(join(home, 'data'))).state).toBe('absent')
  })

  test('goes on when what follows the start fails', async () => {
    const engine = await start({ onReady: () => Promise.reject(new Error('no welcome')) }, shared())
    await until(() => logged.includes('no welcome'))
    expect((await readEngineFile(engine.dataDir.path)).state).toBe('running')
  })

  test('hands worker and API what they need, the worker to the API as well', async () => {
    const seen: unknown[] = []
    const worker = { stop: async () => {}, queue: 'q' }
    await start(
      {
        startWorker: async (context) => (seen.push(context.temporal.address, context.dataDir.tokenPath), worker),
        startApi: async (_, given) => (seen.push(given), { url: 'http://api', stop: async () => {} }),
      },
      shared(),
    )
    expect(seen).toEqual([inject('temporalAddress'), join(home, 'data', 'token'), worker])
  })
})
