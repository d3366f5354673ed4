import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { provideChromium } from './chromium-binary.ts'
import { providePostgres } from './postgres-binaries.ts'
import { type PostgresServer, startPostgres } from './postgres-server.ts'
import type { SharedPostgres } from './postgres.ts'
import { startTestServer } from './temporal-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** `host:port` of the Temporal server that all tests of a run share. Tests keep apart by task queue and run id. */
    temporalAddress: string
    /** The bundled workflow code of this checkout. */
    workflowBundlePath: string
    /** PostgreSQL of the whole run. Each test file makes a database of its own. */
    postgres: SharedPostgres
  }
}

/** One Temporal server for a whole test run: `inject('temporalAddress')` gives its address. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'sop-test-bundle-'))
  const bundlePath = join(folder, 'workflow-bundle.js')
  const [server, postgres, browser] = await Promise.all([
    startTestServer(),
    startSharedPostgres(),
    provideChromium((line) => console.error(line)),
    promisify(execFile)(process.execPath, ['scripts/bundle.mjs', bundlePath]),
  ])
  project.provide('temporalAddress', server.address)
  project.provide('workflowBundlePath', bundlePath)
  project.provide('postgres', postgres.shared)
  project.provide('chromium', browser)
  return async () => {
    await Promise.all([server.stop(), postgres.server?.remove()])
    await rm(folder, { recursive: true, force: true })
  }
}

const startSharedPostgres = async (): Promise<{ shared: SharedPostgres; server?: PostgresServer }> => {
  const found = await providePostgres((line) => console.error(line))
  if ('missing' in found) return { shared: found }
  const server = await startPostgres(found.folder)
  return { shared: { url: server.url, folder: found.folder }, server }
}
