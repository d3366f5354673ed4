// An engine in a process of its own, with trivial worker and API. Arguments: the data directory, then what goes wrong.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { requireConfig } from '../../src/config.ts'
import { isListening } from '../../src/engine/ports.ts'
import { type EngineContext, serve } from '../../src/engine/serve.ts'
import { createLog } from '../../src/log.ts'

const [dataDir = '', fault = ''] = process.argv.slice(2)
const overrides = { dataDir, 'api.port': '0', 'temporal.port': '0', 'temporal.uiPort': '0', 'temporal.ui': false }
const log = createLog({ out: process.stdout, format: 'json' })
const say = (text: string): void => void process.stdout.write(`${text}\n`)

const startWorker = async ({ temporal }: EngineContext) => {
  say('worker starts')
  return {
    stop: async () => {
      say('worker stops')
      await sleep(500)
      // A machine that stands still for a moment makes no server disappear.
      say((await isListening(Number(temporal.address.split(':')[1]), 20_000)) ? 'server is there' : 'server is gone')
      if (fault === 'worker hangs') await new Promise(() => setInterval(() => {}, 1_000))
    },
  }
}

const startApi = async () => {
  say('api starts')
  const server = createServer((_, response) => response.end('ok'))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const stop = async (): Promise<void> => {
    say('api stops')
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop }
}

try {
  const { config, environment } = requireConfig({ overrides })
  const engine = await serve({
    config,
    env: environment,
    log,
    out: process.stdout,
    version: '0.0.0-test',
    startWorker,
    startApi,
    onReady: async () => say('ready'),
  })
  process.exitCode = await engine.ended
  say(`ended ${process.exitCode}`)
} catch (error) {
  say(`error ${(error as { code?: string }).code} ${(error as Error).message}`)
  process.exitCode = 1
}
