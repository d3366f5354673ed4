// bundle.mjs [file] [--src FOLDER]: the workflow code as one script, as workers load it. Fails when something reached from a workflow
// imports what a workflow must not have (a node built-in, a client). Without a file it only checks.

import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { src: { type: 'string' } },
})
const [target] = positionals
const src = resolve(values.src ?? fileURLToPath(new URL('../src', import.meta.url)))
const workflowsPath = join(src, 'workflows/index.ts')
const payloadConverterPath = join(src, 'workflows/converter.ts')

/** Our own rules: pure, without state of their own, or with what is the same for every run. */
const PURE = [
  'run/transition.ts',
  'run/view.ts',
  'run/receive.ts',
  'run/seed.ts',
  'run/evolve.ts',
  'params.ts',
  'seal.ts',
  'condition/evaluate.ts',
].map((name) => join(src, 'core', name))

const noStackTraces = join(src, 'workflows/no-stack-traces.ts')

/** @type {string[]} */
const messages = []
const logger = new DefaultLogger('WARN', ({ message }) => messages.push(message))
try {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    payloadConverterPath,
    workflowInterceptorModules: ['interceptors.ts', 'witness.ts'].map((name) => join(src, 'workflows', name)),
    // Pure libraries, evaluated once and shared: the bundle's own modules are evaluated anew for every run.
    preloadModules: ['@marcbachmann/cel-js', 're2js', '@noble/hashes/sha2.js', ...PURE, noStackTraces],
    logger,
    // The inline source map stays: Temporal's worker takes it out of the bundle (facts: without one it refuses the bundle).
    webpackConfigHook: (config) => ({ ...config, mode: 'production' }),
  })
  if (target !== undefined) writeFileSync(target, code)
} catch (error) {
  console.error([...messages, error instanceof Error ? error.message : String(error)].join('\n'))
  process.exitCode = 1
}
