import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { cacheFolder } from '../../src/engine/find-temporal.ts'
import { ATTRIBUTE_WIRE_TYPES, SEARCH_ATTRIBUTES } from '../../src/engine/search-attributes.ts'
import { createLog } from '../../src/log.ts'
import { installRuntime } from '../../src/worker/worker.ts'
import { fetchJars, writeAtomic } from './maven-jars.ts'
import JARS from './test-server-jars.json' with { type: 'json' }

// time-skipping.ts: Temporal's test server, whose clock jumps ahead while nothing is under way. It is a Java program; its
// jars are fetched once (maven-jars.ts), into the cache beside the Temporal binary, and are held to the digests of
// test-server-jars.json. Without Java the SDK's own download is tried.

const VERSION = '1.38.0'
const START_ATTEMPTS = 4

/** A server, or why there is none: a test that needs one skips itself with that reason. */
export type TimeSkipping =
  | { readonly ok: true; readonly environment: TestWorkflowEnvironment }
  | { readonly ok: false; readonly reason: string }

export const startTimeSkipping = async (): Promise<TimeSkipping> => {
  installRuntime(createLog({ level: 'error' }))
  const failures: string[] = []
  for (const start of [startJava, startDownloaded]) {
    try {
      const environment = await start()
      await registerAttributes(environment)
      return { ok: true, environment }
    } catch (error) {
      failures.push((error as Error).message.split('\n')[0] ?? '')
    }
  }
  return { ok: false, reason: `no test server with a clock that skips: ${failures.join('; ')}` }
}

/** The test server can add attributes, but not list those that it has. */
const registerAttributes = async ({ connection }: TestWorkflowEnvironment): Promise<void> => {
  const types = Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, ATTRIBUTE_WIRE_TYPES[type]])
  await connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(types) as Record<string, number>,
  })
}

const startDownloaded = (): Promise<TestWorkflowEnvironment> => TestWorkflowEnvironment.createTimeSkipping()

const startJava = async (): Promise<TestWorkflowEnvironment> => {
  await promisify(execFile)('java', ['-version']).catch(() => {
    throw new Error('no Java on PATH (install a JRE of version 11 or later)')
  })
  const folder = join(dirname(cacheFolder(process.env)), `temporal-test-server-${VERSION}`)
  await mkdir(folder, { recursive: true })
  await fetchJars(folder, JARS)
  const path = join(folder, 'test-server.sh')
  // The SDK ends the process that it started, so that has to be Java itself.
  const classPath = JARS.map((jar) => join(folder, basename(jar.path))).join(':')
  await writeAtomic(path, `#!/bin/sh\nexec java -cp '${classPath}' io.temporal.testserver.TestServer "$@"\n`, 0o755)
  return patiently(() =>
    TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } }),
  )
}

/** The SDK gives a server five seconds, which a busy machine may need for Java alone. */
const patiently = async <T>(start: () => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start()
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error
    }
  }
}
