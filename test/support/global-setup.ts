import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { startTestServer } from './temporal-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** `host:port` of the Temporal server that all tests of a run share. Tests keep apart by task queue and run id. */
    temporalAddress: string
    /** The bundled workflow code of this checkout. */
    workflowBundlePath: string
  }
}

/** One Temporal server for a whole test run: `inject('temporalAddress')` gives its address. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'sop-test-bundle-'))
  const bundlePath = join(folder, 'workflow-bundle.js')
  const [server] = await Promise.all([
    startTestServer(),
    promisify(execFile)(process.execPath, ['scripts/bundle.mjs', bundlePath]),
  ])
  project.provide('temporalAddress', server.address)
  project.provide('workflowBundlePath', bundlePath)
  return async () => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
