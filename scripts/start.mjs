// start.mjs: `npm start`. Sets up what is missing, then runs `sop serve --welcome` in this very process, so that signals
// reach the engine and nobody else.

import { checkNode } from './node-version.mjs'

checkNode()
const { setUp, ROOT } = await import('./setup.mjs')
const { join } = await import('node:path')
const { pathToFileURL } = await import('node:url')

await setUp()
const main = join(ROOT, 'dist', 'cli', 'main.js')
process.argv = [process.execPath, main, 'serve', '--welcome', ...process.argv.slice(2)]
await import(pathToFileURL(main).href)
