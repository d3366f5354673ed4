// check.mjs: `npm run check`, the gate for every change: everything that takes no Temporal server.

import { checkNode } from './node-version.mjs'

checkNode()
const { setUp, ROOT } = await import('./setup.mjs')
const { BUNDLE, CHECKS, runStages, UNIT_TESTS } = await import('./stages.mjs')
const { catchSignals } = await import('./run.mjs')

await setUp({ needsBuild: false })
catchSignals()
const [lint, ...others] = CHECKS
const { passed, failed } = await runStages(ROOT, [...(lint === undefined ? [] : [lint]), UNIT_TESTS, ...others, BUNDLE])
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
