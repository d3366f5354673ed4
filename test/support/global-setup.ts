import type { TestProject } from 'vitest/node'
import { startTestServer } from './temporal-server.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** `host:port` of the Temporal server that all tests of a run share. Tests keep apart by task queue and run id. */
    temporalAddress: string
  }
}

/** One Temporal server for a whole test run: `inject('temporalAddress')` gives its address. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startTestServer()
  project.provide('temporalAddress', server.address)
  return () => server.stop()
}
