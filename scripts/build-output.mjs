// build-output.mjs: src to dist. Everything is made in a folder beside it and put in place at the end, so that a build that
// fails or is interrupted leaves the old one whole.

import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { filesBelow, hasPage, isPartBuilt, PARTS, STAMP, sourceStamp } from './build-stamp.mjs'
import { SetupError, withProgress } from './progress.mjs'
import { run, tail } from './run.mjs'

/**
 * Builds what is out of date of dist, and keeps the rest.
 *
 * @param {string} root
 * @throws {SetupError} when the sources do not compile
 */
export async function build(root) {
  const fresh = `dist.new-${process.pid}`
  removeLeftovers(root)
  const clean = () => removeLeftovers(root)
  process.once('exit', clean)
  try {
    mkdirSync(join(root, fresh))
    await withProgress({ doing: 'Building', done: 'Built' }, async () => {
      const parts = [buildPrograms(root, fresh), ...(hasPage(root) ? [buildPage(root, fresh)] : [])]
      const failed = (await Promise.all(parts)).flat().filter(({ code }) => code !== 0)
      if (failed.length > 0)
        throw new SetupError(
          `Cannot build: the sources do not compile.\n\n${failed.map(({ output }) => tail(output)).join('\n')}`,
        )
    })
    putInPlace(root, fresh)
  } finally {
    process.off('exit', clean)
    clean()
  }
}

/** The programs and the bundle of workflow code. @param {string} root @param {string} fresh */
async function buildPrograms(root, fresh) {
  if (isPartBuilt(root, PARTS.programs)) {
    for (const name of readdirSync(join(root, 'dist'))) {
      if (name !== PARTS.page.folder) cpSync(join(root, 'dist', name), join(root, fresh, name), { recursive: true })
    }
    return []
  }
  const stamp = sourceStamp(root, PARTS.programs)
  const programs = [
    run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', fresh], {
      cwd: root,
    }),
  ]
  if (existsSync(join(root, 'src/workflows/index.ts'))) {
    programs.push(run(process.execPath, ['scripts/bundle.mjs', join(fresh, 'workflow-bundle.js')], { cwd: root }))
  }
  const ended = await Promise.all(programs)
  copyAssets(root, fresh)
  makeExecutable(root, fresh)
  writeFileSync(join(root, fresh, STAMP), stamp)
  return ended
}

/** What the browser gets. @param {string} root @param {string} fresh */
async function buildPage(root, fresh) {
  const { folder } = PARTS.page
  const target = join(root, fresh, folder)
  if (isPartBuilt(root, PARTS.page)) {
    cpSync(join(root, 'dist', folder), target, { recursive: true })
    return []
  }
  const stamp = sourceStamp(root, PARTS.page)
  const ended = await run(process.execPath, ['scripts/build-page.mjs', target], { cwd: root })
  if (ended.code === 0) writeFileSync(join(target, STAMP), stamp)
  return [ended]
}

/** What builds that were interrupted left: only one builds at a time. @param {string} root */
function removeLeftovers(root) {
  for (const name of readdirSync(root)) {
    if (/^dist\.(new|old)-\d+$/.test(name)) rmSync(join(root, name), { recursive: true, force: true })
  }
}

/** Pages, styles, schemas: whatever in src is not TypeScript. @param {string} root @param {string} fresh */
function copyAssets(root, fresh) {
  for (const path of filesBelow(root, 'src').filter(PARTS.programs.has)) {
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
