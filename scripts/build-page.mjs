// build-page.mjs FOLDER: the page as the API serves it: what Vite makes of src/web, each file compressed beside itself.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'vite'
import { filesBelow } from './build-stamp.mjs'

const [target] = process.argv.slice(2)
if (target === undefined) throw new Error('Usage: node scripts/build-page.mjs FOLDER')

await build({ configFile: 'vite.config.ts', logLevel: 'warn', build: { outDir: target } })
for (const file of filesBelow(target, '.').filter((path) => /\.(js|css|html|svg|json)$/.test(path))) {
  const bytes = readFileSync(join(target, file))
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY }
  writeFileSync(join(target, `${file}.br`), brotliCompressSync(bytes, { params }))
  writeFileSync(join(target, `${file}.gz`), gzipSync(bytes, { level: 9 }))
}
