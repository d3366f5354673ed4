// bundle.mjs [file]: the workflow code as one script, as workers load it. Fails when something reached from a workflow
// imports what a workflow must not have (a node built-in, a client). Without a file it only checks.

import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker'

const [target] = process.argv.slice(2)
const workflowsPath = fileURLToPath(new URL('../src/workflows/index.ts', import.meta.url))

const payloadConverterPath = fileURLToPath(new URL('../src/workflows/converter.ts', import.meta.url))

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
].map((name) => fileURLToPath(new URL(`../src/core/${name}`, import.meta.url)))

const noStackTraces = fileURLToPath(new URL('../src/workflows/no-stack-traces.ts', import.meta.url))

/** @type {string[]} */
const messages = []
const logger = new DefaultLogger('WARN', ({ message }) => messages.push(message))
try {
  const { code } = await bundleWorkflowCode({
    workflowsPath,
    payloadConverterPath,
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
