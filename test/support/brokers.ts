import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'vitest'
import { type BrokerName, provideBroker } from './broker-binaries.ts'
import type { Certificates } from './certificates.ts'
import { freePorts } from '../../scripts/free-port.mjs'

// brokers.ts: brokers of a test file's own, on free ports of the loopback interface, with folders that go with them.

export interface Broker {
  readonly port: number
  readonly url: string
  /** With TLS, where it was asked for. */
  readonly tlsUrl?: string
  /** At once, as a crash does: what it had promised to keep, it keeps. */
  kill(): Promise<void>
  /** Again on the same port, with the same data. */
  start(): Promise<void>
  remove(): Promise<void>
}

/** A broker for all tests of a file. Put `needs` before each of them: it skips them, with the reason, where none can be had. */
export const provideFor = async (
  name: BrokerName,
): Promise<{ program: string; needs: (context: Skippable) => void }> => {
  const found = await provideBroker(name)
  return {
    program: 'missing' in found ? '' : found.program,
    needs: (context) => {
      if ('missing' in found) context.skip(found.missing)
    },
  }
}
type Skippable = Pick<TestContext, 'skip'>

/** Ends its whole group when its standard input closes: with the tests, however those end. */
const GUARD = '"$@" </dev/null & read -r _; kill -9 0'

interface Guarded {
  kill(): Promise<void>
}

const run = async (
  program: string,
  args: readonly string[],
  words: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Guarded> => {
  const child: ChildProcess = spawn('sh', ['-c', GUARD, 'sh', program, ...args], {
    env: { PATH: process.env['PATH'] ?? '', LANG: 'C.UTF-8', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  // The shell is gone before the broker may be; what they say ends with the last of them, which then has left its port.
  const exited = once(child, 'close')
  const kill = async (): Promise<void> => {
    child.stdin?.end()
    await exited
  }
  let said = ''
  const isUp = new Promise<boolean>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        said = `${said}${chunk.toString()}`.slice(-20_000)
        if (said.includes(words)) resolve(true)
      })
      stream?.on('end', () => resolve(false))
    }
  })
  if (await isUp) return { kill }
  await kill()
  throw new Error(`${program} did not start: ${said}`)
}

const brokerOf = async (
  port: number,
  scheme: string,
  folder: string,
  start: () => Promise<readonly Guarded[]>,
): Promise<Broker> => {
  let running = await start()
  const kill = async (): Promise<void> => {
    const all = running
    running = []
    await Promise.all(all.map((each) => each.kill()))
  }
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    kill,
    start: async () => {
      running = await start()
    },
    remove: async () => {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/**
 * An MQTT broker without logins, which keeps sessions and messages on disk at once. With certificates also one that
 * takes only clients with one of theirs.
 */
export const startMosquitto = async (program: string, tls?: Certificates): Promise<Broker> => {
  const folder = await mkdtemp(join(tmpdir(), 'sop-test-mosquitto-'))
  const [port = 0, tlsPort = 0] = await freePorts(2)
  const config = join(folder, 'mosquitto.conf')
  await writeFile(
    config,
    `listener ${port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location ${folder}/
autosave_interval 1
autosave_on_changes true
${process.getuid?.() === 0 ? 'user root\n' : ''}${
  tls === undefined
    ? ''
    : `listener ${tlsPort} 127.0.0.1
cafile ${tls.caFile}
certfile ${tls.server.certFile}
keyfile ${tls.server.keyFile}
require_certificate true
`
}`,
  )
  const broker = await brokerOf(port, 'mqtt', folder, async () => [await run(program, ['-c', config, '-v'], 'running')])
  return tls === undefined ? broker : { ...broker, tlsUrl: `mqtts://127.0.0.1:${tlsPort}` }
}

/** An AMQP broker with the login guest; with certificates it speaks TLS as well. */
export const startRabbit = async (program: string, tls?: Certificates): Promise<Broker> => {
  const folder = await mkdtemp(join(tmpdir(), 'sop-test-rabbit-'))
  const [port = 0, dist = 0, epmd = 0, tlsPort = 0] = await freePorts(4)
  await writeFile(join(folder, 'plugins'), '[].\n')
  await writeFile(
    join(folder, 'rabbitmq.conf'),
    `listeners.tcp.1 = 127.0.0.1:${port}\ndisk_free_limit.absolute = 50MB\n${
      tls === undefined
        ? ''
        : `listeners.ssl.1 = 127.0.0.1:${tlsPort}
ssl_options.cacertfile = ${tls.caFile}
ssl_options.certfile = ${tls.server.certFile}
ssl_options.keyfile = ${tls.server.keyFile}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
`
    }`,
  )
  const env = {
    HOME: folder,
    ERL_EPMD_PORT: String(epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `sop-test-${port}@localhost`,
    RABBITMQ_DIST_PORT: String(dist),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_LOGS: '-',
    RABBITMQ_CONFIG_FILE: join(folder, 'rabbitmq'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    // Two cores are enough, and waiting threads burn none.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 2:2 +sbwt none',
  }
  const broker = await brokerOf(port, 'amqp', folder, async () => {
    // Else the server would leave one behind that outlives the tests.
    const names = await run('epmd', ['-d', '-port', String(epmd), '-address', '127.0.0.1'], 'epmd running', env)
    try {
      return [names, await run(program, [], 'Server startup complete', env)]
    } catch (error) {
      await names.kill()
      throw error
    }
  })
  return tls === undefined ? broker : { ...broker, tlsUrl: `amqps://127.0.0.1:${tlsPort}` }
}
