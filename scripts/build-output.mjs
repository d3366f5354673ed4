// build-output.mjs: src to dist. Everything is made in a folder beside it and put in place at the end, so that a build that
// fails or is interrupted leaves the old one whole.

import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { filesBelow, STAMP, sourceStamp } from './build-stamp.mjs'
import { SetupError, withProgress } from './progress.mjs'
import { run, tail } from './run.mjs'

/** Builds dist. @param {string} root @throws {SetupError} when the sources do not compile */
export async function build(root) {
  const stamp = sourceStamp(root)
  const fresh = `dist.new-${process.pid}`
  removeLeftovers(root)
  const clean = () => removeLeftovers(root)
  process.once('exit', clean)
  try {
    mkdirSync(join(root, fresh))
    await withProgress({ doing: 'Building', done: 'Built' }, async () => {
      const programs = [
        run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', fresh], {
          cwd: root,
        }),
      ]
      if (existsSync(join(root, 'src/workflows/index.ts'))) {
        programs.push(run(process.execPath, ['scripts/bundle.mjs', join(fresh, 'workflow-bundle.js')], { cwd: root }))
      }
      const failed = (await Promise.all(programs)).filter(({ code }) => code !== 0)
      if (failed.length > 0)
        throw new SetupError(
          `Cannot build: the sources do not compile.\n\n${failed.map(({ output }) => tail(output)).join('\n')}`,
        )
      copyAssets(root, fresh)
      makeExecutable(root, fresh)
      writeFileSync(join(root, fresh, STAMP), stamp)
    })
    putInPlace(root, fresh)
  } finally {
    process.off('exit', clean)
    clean()
  }
}

/** What builds that were interrupted left: only one builds at a time. @param {string} root */
function removeLeftovers(root) {
  for (const name of readdirSync(root)) {
    if (/^dist\.(new|old)-\d+$/.test(name)) rmSync(join(root, name), { recursive: true, force: true })
  }
}

/** Pages, styles, schemas: whatever in src is not TypeScript. @param {string} root @param {string} fresh */
function copyAssets(root, fresh) {
  for (const path of filesBelow(root, 'src')) {
    if (/\.[cm]?tsx?$/.test(path)) continue
    const target = join(root, fresh, path.slice('src/'.length))
    mkdirSync(dirname(target), { recursive: true })
    copyFileSync(join(root, path), target)
  }
}

/** The commands of package.json. @param {string} root @param {string} fresh */
function makeExecutable(root, fresh) {
  /** @type {{ bin?: Record<string, string> }} */
  const { bin = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const path of Object.values(bin)) {
    const file = join(root, fresh, path.replace(/^(\.\/)?dist\//, ''))
    if (existsSync(file)) chmodSync(file, 0o755)
  }
}

/** @param {string} root @param {string} fresh */
function putInPlace(root, fresh) {
  const [dist, old] = [join(root, 'dist'), join(root, `dist.old-${process.pid}`)]
  if (existsSync(dist)) renameSync(dist, old)
  renameSync(join(root, fresh), dist)
  rmSync(old, { recursive: true, force: true })
}
