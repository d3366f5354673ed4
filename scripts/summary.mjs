import { existsSync, readFileSync } from 'node:fs'

/** @typedef {import('./vitest-summary.mjs').Summary} Summary */

/** What the tests came to. A run that ended badly without saying why counts as one failure. @param {string} file @param {number} code @returns {Summary} */
export function readSummary(file, code) {
  if (!existsSync(file)) return { passed: 0, failed: 1, skipped: [] }
  /** @type {Summary} */
  const summary = JSON.parse(readFileSync(file, 'utf8'))
  return code !== 0 && summary.failed === 0 ? { ...summary, failed: 1 } : summary
}

/** The skipped tests by name, with the reason. @param {Summary['skipped']} skipped @param {boolean} isStrict */
export function skippedLines(skipped, isStrict) {
  if (skipped.length === 0) return []
  const heading = isStrict ? 'Skipped, which counts as failed under CI=true:' : 'Skipped:'
  return ['', heading, ...skipped.map(({ name, file, reason }) => `  ${file}: ${name}: ${reason}`), '']
}

/** @param {{ passed: number, failed: number, skipped: number }} counts */
export const closingLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`
