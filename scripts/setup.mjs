// setup.mjs: what `npm start` and `npm test` need before they can begin: packages and a build. Only what Node ships.

import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from './build-output.mjs'
import { isBuilt } from './build-stamp.mjs'
import { arePackagesInstalled, installPackages } from './packages.mjs'
import { SetupError } from './progress.mjs'
import { catchSignals } from './run.mjs'
import { withSetupLock } from './setup-lock.mjs'

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * Installs and builds what is missing or out of date; nothing when all is there. Ends the process with a sentence when it
 * cannot.
 *
 * @param {{ needsBuild?: boolean, root?: string }} [options]
 */
export async function setUp({ needsBuild = true, root = ROOT } = {}) {
  const release = catchSignals()
  try {
    if ((await arePackagesInstalled(root)) && (!needsBuild || isBuilt(root))) return
    await withSetupLock(root, async () => {
      if (!(await arePackagesInstalled(root))) await installPackages(root)
      if (needsBuild && !isBuilt(root)) await build(root)
    })
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    console.error(error.message)
    process.exit(1)
  } finally {
    release()
  }
}
