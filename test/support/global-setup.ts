import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { isPartBuilt, PARTS } from '../../scripts/build-stamp.mjs'
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
  const [server, postgres, browser, bundlePath] = await Promise.all([
    startTestServer(),
    startSharedPostgres(),
    provideChromium((line) => console.error(line)),
    workflowBundle(folder),
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

/** That of the build where it was made from these sources, as `npm test` sees to; else one that is made now. */
const workflowBundle = async (folder: string): Promise<string> => {
  const root = process.cwd()
  if (isPartBuilt(root, PARTS.programs)) return join(root, 'dist', 'workflow-bundle.js')
  const path = join(folder, 'workflow-bundle.js')
  await promisify(execFile)(process.execPath, ['scripts/bundle.mjs', path])
  return path
}

const startSharedPostgres = async (): Promise<{ shared: SharedPostgres; server?: PostgresServer }> => {
  const found = await providePostgres((line) => console.error(line))
  if ('missing' in found) return { shared: found }
  const server = await startPostgres(found.folder)
  return { shared: { url: server.url, folder: found.folder }, server }
}
