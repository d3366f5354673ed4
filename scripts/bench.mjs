// bench.mjs: `npm run bench [-- --quick]`. Sets up and builds like every other command, then measures.

import { checkNode } from './node-version.mjs'

checkNode()
const { setUp } = await import('./setup.mjs')
await setUp()
await import('./bench/bench.mjs')
