// wire.ts: the only place of the CLI that knows the rest of the program. Everything is loaded when a verb needs it, so
// that `sop list` reads neither the schema of the configuration nor Temporal.

import type { SopClient } from '../client/client.ts'
import type { TokenClient } from '../client/http.ts'
import type { Io } from './io.ts'
import type { Ports, SopFiles } from './ports.ts'

export const createPorts = (io: Io): Ports => ({
  connect: (at) => openClient(io, at.url),
  tokens: (at) => openClient(io, at.url),
  files: async () => openFiles(await readSopDir(io), io.cwd),
  renderDiagnostic: async () => (await import('../core/compile/render-diagnostic.ts')).renderDiagnostic,
  settings: async () => {
    const [{ readConfig, renderConfigProblem }, { describeConfig }] = await Promise.all([
      import('../config.ts'),
      import('../config/describe.ts'),
    ])
    const read = readConfig({ env: io.env, cwd: io.cwd })
    for (const problem of read.problems) io.err.write(`sop: ${renderConfigProblem(problem)}\n`)
    return describeConfig(read)
  },
  serve: async (options) => (await import('../engine/serve.ts')).serve(options),
  worker: async () => (await import('../worker/main.ts')).startWorker(),
  version: async () => {
    const { readFile } = await import('node:fs/promises')
    const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
    return String((JSON.parse(text) as { version: unknown }).version)
  },
})

const openClient = async (io: Io, url: string | undefined): Promise<SopClient & TokenClient> => {
  const [{ readClientConfig }, { findEngine }, { createHttpClient }] = await Promise.all([
    import('../config/client-config.ts'),
    import('../client/find-engine.ts'),
    import('../client/http.ts'),
  ])
  const config = await readClientConfig({ env: io.env, cwd: io.cwd })
  const engine = findEngine({
    url: url ?? config.url,
    token: config.token,
    dataDir: config.dataDir,
    environment: config.environment,
    workdir: io.cwd,
  })
  return createHttpClient({
    url: engine.url,
    surface: 'cli',
    ...(engine.token === undefined ? {} : { token: engine.token }),
  })
}

const readSopDir = async (io: Io): Promise<string> => {
  const { readClientConfig } = await import('../config/client-config.ts')
  return (await readClientConfig({ env: io.env, cwd: io.cwd })).sopDir
}

const openFiles = async (sopDir: string, cwd: string): Promise<SopFiles> => {
  const { createSopFiles } = await import('./sop-files.ts')
  return createSopFiles(sopDir, cwd)
}
