// bench.mjs: `npm run bench [-- --quick]`. Sets up and builds like every other command, then measures.

import { sectionsOf } from './bench/sections.mjs'
import { checkNode } from './node-version.mjs'

checkNode()
sectionsOf(process.argv.slice(2))
const { setUp } = await import('./setup.mjs')
await setUp()
await import('./bench/bench.mjs')
