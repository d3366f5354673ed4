// vitest-summary.mjs: a reporter that counts. It sees what a report file leaves out: why a test was skipped, and failures
// that belong to no test (a file that does not load, a hook, a rejection nobody caught).

import { writeFileSync } from 'node:fs'

/** @typedef {{ passed: number, failed: number, skipped: { name: string, file: string, reason: string }[] }} Summary */

/** Writes its summary as JSON to the file that `SOP_TEST_SUMMARY` names. */
export default class SummaryReporter {
  /** @param {readonly import('vitest/node').TestModule[]} modules @param {readonly unknown[]} unhandled */
  onTestRunEnd(modules, unhandled) {
    const file = process.env['SOP_TEST_SUMMARY']
    if (file !== undefined) writeFileSync(file, JSON.stringify(summarize(modules, unhandled.length)))
  }
}

/** @param {readonly import('vitest/node').TestModule[]} modules @param {number} unhandled @returns {Summary} */
function summarize(modules, unhandled) {
  /** @type {Summary} */
  const summary = { passed: 0, failed: unhandled, skipped: [] }
  for (const module of modules) {
    summary.failed += module.errors().length
    for (const suite of module.children.allSuites()) summary.failed += suite.errors().length
    for (const test of module.children.allTests()) {
      const result = test.result()
      if (result.state === 'passed') summary.passed += 1
      else if (result.state === 'failed') summary.failed += 1
      else summary.skipped.push({ name: test.fullName, file: module.relativeModuleId, reason: noteOf(result) })
    }
  }
  return summary
}

/** @param {import('vitest/node').TestResult} result */
const noteOf = (result) => (result.state === 'skipped' && result.note) || 'no reason given'
