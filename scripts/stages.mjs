import { formatSeconds } from './progress.mjs'
import { run } from './run.mjs'

/** @typedef {{ readonly name: string, readonly args: readonly string[], readonly env?: Record<string, string> }} Stage */

const BIN = 'node_modules'

/** The checks that no test runner makes. Each is a program of its own. @type {readonly Stage[]} */
export const CHECKS = [
  {
    name: 'lint',
    args: [
      `${BIN}/oxlint/bin/oxlint`,
      '--type-aware',
      '--deny-warnings',
      '--report-unused-disable-directives',
      '--format=unix',
      'src',
      'test',
      'scripts',
      'vitest.config.ts',
    ],
  },
  {
    name: 'types',
    args: [
      `${BIN}/typescript/bin/tsc`,
      '-p',
      'tsconfig.json',
      '--incremental',
      '--tsBuildInfoFile',
      'node_modules/.cache/types.tsbuildinfo',
    ],
  },
  {
    name: 'types of the page',
    args: [
      `${BIN}/typescript/bin/tsc`,
      '-p',
      'src/web/tsconfig.json',
      '--incremental',
      '--tsBuildInfoFile',
      'node_modules/.cache/page-types.tsbuildinfo',
    ],
  },
  {
    name: 'types of browser tests',
    args: [
      `${BIN}/typescript/bin/tsc`,
      '-p',
      'test/web/tsconfig.json',
      '--incremental',
      '--tsBuildInfoFile',
      'node_modules/.cache/browser-types.tsbuildinfo',
    ],
  },
  { name: 'format', args: [`${BIN}/@biomejs/biome/bin/biome`, 'ci', '--colors=off'] },
  { name: 'imports', args: ['scripts/check-imports.mjs'] },
  { name: 'words', args: ['scripts/check-words.mjs'] },
]

/** @type {Stage} */
export const BUNDLE = { name: 'workflow bundle', args: ['scripts/bundle.mjs'] }

/** @type {Stage} */
export const UNIT_TESTS = {
  name: 'unit tests',
  args: [`${BIN}/vitest/vitest.mjs`, 'run', '--project=unit', '--reporter=dot', '--maxWorkers=1'],
}

/**
 * Runs stages two at a time, in order, and shows each when it ends: one line, and all its output if it failed.
 *
 * @param {string} root
 * @param {readonly Stage[]} stages
 * @returns {Promise<{ passed: number, failed: number }>}
 */
export async function runStages(root, stages) {
  const waiting = [...stages]
  let failed = 0
  const work = async () => {
    for (let stage = waiting.shift(); stage !== undefined; stage = waiting.shift()) {
      const startedAt = performance.now()
      const { code, output } = await run(process.execPath, stage.args, {
        cwd: root,
        env: { ...process.env, ...stage.env },
      })
      console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${stage.name} (${formatSeconds(performance.now() - startedAt)})`)
      if (code === 0) continue
      failed += 1
      console.log(`${output.trimEnd()}\n`)
    }
  }
  await Promise.all([work(), work()])
  return { passed: stages.length - failed, failed }
}
