import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { closingLine, readSummary, skippedLines } from '../../scripts/summary.mjs'

const REPOSITORY = resolve(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'summary-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs test files of its own with the reporter and reads what it counted. */
function summaryOf(name: string, files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(folder, `${name}-`))
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'))
  for (const [file, source] of Object.entries(files)) {
    writeFileSync(join(root, file), `import { beforeAll, describe, expect, test } from 'vitest'\n${source}`)
  }
  const summaryFile = join(root, 'summary.json')
  const reporter = join(REPOSITORY, 'scripts/vitest-summary.mjs')
  const args = [join(REPOSITORY, 'node_modules/vitest/vitest.mjs'), 'run', '--root', root, `--reporter=${reporter}`]
  const env = { ...process.env, SOP_TEST_SUMMARY: summaryFile }
  const { status } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
  return { summary: readSummary(summaryFile, 0), status }
}

const skip = ['test', 'skip'].join('.')

test('passed, failed and skipped tests are counted, and failures that belong to no test', () => {
  const { summary, status } = summaryOf('all', {
    'a.test.ts': `test('a', () => {})
      test('b', () => { expect(1).toBe(2) })
      test('c', (context) => context.skip('no Go: install it'))
      describe('d', () => { ${skip}('e', () => {}) })`,
    'does-not-load.test.ts': `throw new Error('broken')`,
    'hook-fails.test.ts': `describe('x', () => { beforeAll(() => { throw new Error('hook') }); test('never ran', () => {}) })`,
    'rejects-late.test.ts': `test('f', () => { void Promise.reject(new Error('late')) })`,
  })
  expect(summary).toMatchObject({ passed: 2, failed: 4 })
  expect(summary.skipped).toEqual(
    expect.arrayContaining([
      { name: 'c', file: 'a.test.ts', reason: 'no Go: install it' },
      { name: 'd > e', file: 'a.test.ts', reason: 'no reason given' },
    ]),
  )
  expect(status).toBe(1)
})

test('a run without any test is not a success', () => {
  expect(summaryOf('none', {}).status).toBe(1)
})

test('a run that leaves no summary, or ends badly with nothing failed, counts as one failure', () => {
  expect(readSummary(join(folder, 'none.json'), 0)).toEqual({ passed: 0, failed: 1, skipped: [] })
  const file = join(folder, 'odd.json')
  writeFileSync(file, JSON.stringify({ passed: 3, failed: 0, skipped: [] }))
  expect(readSummary(file, 1).failed).toBe(1)
  expect(readSummary(file, 0).failed).toBe(0)
})

test('the closing line is alone on its line and names skipped tests only when there are some', () => {
  expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed')
  expect(closingLine({ passed: 12, failed: 1, skipped: 2 })).toBe('12 passed, 1 failed, 2 skipped')
})

test('skipped tests are listed with file, name and reason', () => {
  const lines = skippedLines([{ name: 'c', file: 'a.test.ts', reason: 'no Go' }], false)
  expect(lines).toContain('  a.test.ts: c: no Go')
  expect(skippedLines([], true)).toEqual([])
})
