// test.mjs: `npm test`. All checks and all tests; the last line says how many passed and failed.
// With arguments it runs only the tests that they name: `npm test -- test/cli`.

import { checkNode } from './node-version.mjs'

checkNode()
const { mkdtempSync, rmSync } = await import('node:fs')
const { tmpdir } = await import('node:os')
const { join } = await import('node:path')
const { setUp, ROOT } = await import('./setup.mjs')
const { CHECKS, runStages } = await import('./stages.mjs')
const { closingLine, readSummary, skippedLines } = await import('./summary.mjs')
const { catchSignals, run } = await import('./run.mjs')

await setUp()
catchSignals()
const filters = process.argv.slice(2)
const checks = filters.length > 0 ? { passed: 0, failed: 0 } : await runStages(ROOT, CHECKS)

const folder = mkdtempSync(join(tmpdir(), 'sop-test-'))
const summaryFile = join(folder, 'summary.json')
const args = [
  'node_modules/vitest/vitest.mjs',
  'run',
  '--reporter=default',
  '--reporter=./scripts/vitest-summary.mjs',
  ...filters,
]
const { code } = await run(process.execPath, args, {
  cwd: ROOT,
  env: { ...process.env, SOP_TEST_SUMMARY: summaryFile },
  inherit: true,
})
const tests = readSummary(summaryFile, code)
rmSync(folder, { recursive: true, force: true })

const isStrict = process.env['CI'] === 'true'
for (const line of skippedLines(tests.skipped, isStrict)) console.log(line)
const failed = checks.failed + tests.failed + (isStrict ? tests.skipped.length : 0)
console.log(closingLine({ passed: checks.passed + tests.passed, failed, skipped: isStrict ? 0 : tests.skipped.length }))
process.exitCode = failed === 0 ? 0 : 1
