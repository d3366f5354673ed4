// build.mjs: `npm run build`. Builds dist, whether or not it is out of date.

import { checkNode } from './node-version.mjs'

checkNode()
const { setUp, ROOT } = await import('./setup.mjs')
const { rmSync } = await import('node:fs')
const { join } = await import('node:path')
const { STAMP } = await import('./build-stamp.mjs')

rmSync(join(ROOT, 'dist', STAMP), { force: true })
await setUp()
