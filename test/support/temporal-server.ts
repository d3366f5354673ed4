import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createProgress } from '../../src/engine/console.ts'
import { startDevServer } from '../../src/engine/dev-server.ts'
import { resolveTemporal } from '../../src/engine/resolve-temporal.ts'
import type { TemporalBinary } from '../../src/engine/temporal-binary.ts'
import { createLog } from '../../src/log.ts'

export interface TestServer {
  /** `host:port` of the front end. */
  readonly address: string
  readonly namespace: string
  stop(): Promise<void>
}

/** The Temporal CLI of this machine, found or made as `npm start` would; a first time may take minutes, and says so. */
export const testBinary = (): Promise<TemporalBinary> => {
  const cliPath = process.env.TEMPORAL_CLI_PATH
  return resolveTemporal({ env: process.env, progress: createProgress(process.stderr), ...(cliPath && { cliPath }) })
}

/** Starts our Temporal server, with the settings of production, on free ports and with nothing on disk that stays. */
export async function startTestServer(): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sop-test-temporal-'))
  try {
    const server = await startDevServer({
      binary: await testBinary(),
      folder,
      env: process.env,
      inMemory: true,
      namespace: 'default',
      port: 0,
      retentionDays: 30,
      log: createLog({ level: 'error' }),
      progress: createProgress(process.stderr),
    })
    const stop = async (): Promise<void> => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    }
    return { address: server.target.address, namespace: server.target.namespace, stop }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}
