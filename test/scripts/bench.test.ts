import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const BENCH = fileURLToPath(new URL('../../scripts/bench.mjs', import.meta.url))
const bench = (word: string) => spawnSync(process.execPath, [BENCH, word], { encoding: 'utf8', timeout: 15_000 })

test.each([
  ['--help', 0, /^Usage: npm run bench/],
  ['--quik', 2, /^Cannot measure "--quik"\nUsage: npm run bench.*\n.*steps, cli, parked/],
  ['stepz', 2, /^Cannot measure "stepz"/],
] as const)('npm run bench -- %s answers before anything is built or measured', (word, code, says) => {
  const { status, stdout, stderr } = bench(word)
  expect(status).toBe(code)
  expect(stdout + stderr).toMatch(says)
})
