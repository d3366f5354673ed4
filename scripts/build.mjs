// build.mjs: `npm run build`. Builds dist, whether or not it is out of date.

import { checkNode } from './node-version.mjs'

checkNode()
const { setUp, ROOT } = await import('./setup.mjs')
const { rmSync } = await import('node:fs')
const { join } = await import('node:path')
const { PARTS, STAMP } = await import('./build-stamp.mjs')

for (const { folder } of Object.values(PARTS)) rmSync(join(ROOT, 'dist', folder, STAMP), { force: true })
await setUp()
