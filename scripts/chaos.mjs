// chaos.mjs: `npm run chaos [-- --seed N --kills N --seconds S]`. Sets up and builds like every other command, then breaks things.

import { checkNode } from './node-version.mjs'

checkNode()
const { setUp } = await import('./setup.mjs')
await setUp()
await import('./chaos/main.mjs')
