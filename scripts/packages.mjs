// packages.mjs: node_modules as package-lock.json wants it, installed only when it is not.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { SetupError, withProgress } from './progress.mjs'
import { run } from './run.mjs'

/** What node_modules was made from. @param {string} root */
function wantedStamp(root) {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  return JSON.stringify({ lock, platform: `${process.platform}-${process.arch}` })
}

const stampFile = (/** @type {string} */ root) => join(root, 'node_modules', '.sop-packages.json')

/** Whether node_modules holds what package-lock.json asks for. @param {string} root */
export async function arePackagesInstalled(root) {
  const stamp = wantedStamp(root)
  if (existsSync(stampFile(root))) return readFileSync(stampFile(root), 'utf8') === stamp
  if (!isInstalledByHand(root) || !(await hasNativeParts(root))) return false
  writeFileSync(stampFile(root), stamp)
  return true
}

/** npm leaves a list of what it installed: a person's own `npm ci` is as good as ours. @param {string} root */
function isInstalledByHand(root) {
  const hidden = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(hidden)) return false
  /** @type {{ packages: Record<string, { version?: string, optional?: boolean, devOptional?: boolean, peer?: boolean }> }} */
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  /** @type {typeof wanted} */
  const installed = JSON.parse(readFileSync(hidden, 'utf8'))
  return Object.entries(wanted.packages).every(([path, entry]) => {
    const isOptional = entry.optional === true || entry.devOptional === true || entry.peer === true
    const there = installed.packages[path]
    return path === '' || (there === undefined ? isOptional : there.version === entry.version)
  })
}

/**
 * Installs the packages.
 *
 * `npm install` and not `npm ci`: a lock file that was written on one system may lack the native parts of another. Then `npm ci`
 * either refuses (npm 11) or installs without them (npm 10), and even `npm install` of npm 10 needs to be told to look further.
 *
 * @param {string} root @throws {SetupError} with the way out
 */
export async function installPackages(root) {
  const words = { doing: 'Installing packages (once; needs the network)', done: 'Installed packages' }
  await withProgress(words, async () => {
    await install(root, [])
    if (!(await hasNativeParts(root))) await install(root, ['--no-package-lock'])
    if (!(await hasNativeParts(root)))
      throw new SetupError(
        `Cannot install the packages: there is no build of @swc/core, typescript or vite for ${process.platform}-${process.arch}.`,
      )
  })
  writeFileSync(stampFile(root), wantedStamp(root))
}

/** @param {string} root @param {readonly string[]} more */
async function install(root, more) {
  const [command, ...args] = npmCommand()
  const options = [
    'install',
    '--no-save',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--no-progress',
    '--loglevel=error',
    ...more,
  ]
  const { code, output } = await run(command, [...args, ...options], { cwd: root })
  if (code !== 0) throw new SetupError(explain(output, code))
}

/** Whether the packages that bring native code load on this system. @param {string} root */
async function hasNativeParts(root) {
  const names = ['@swc/core', 'vite'].filter((name) => existsSync(join(root, 'node_modules', name)))
  const script = `await Promise.all(${JSON.stringify(names)}.map((name) => import(name)))`
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const asked = [['--input-type=module', '-e', script], ...(existsSync(tsc) ? [[tsc, '--version']] : [])]
  const answers = await Promise.all(asked.map((args) => run(process.execPath, args, { cwd: root })))
  return answers.every(({ code }) => code === 0)
}

/** npm as this process was started by it, else the one on PATH. @returns {[string, ...string[]]} */
function npmCommand() {
  const script = process.env['npm_execpath']
  return script !== undefined && /^npm(-cli)?\.c?js$/.test(basename(script)) ? [process.execPath, script] : ['npm']
}

/** @param {string} output @param {number} code */
export function explain(output, code) {
  if (code === 127)
    return `Cannot install the packages: npm cannot be started (${output}). Install npm, or start this with \`npm start\`.`
  const shown = output.trimStart().split('\n').slice(0, 15).join('\n')
  const reason = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|network/i.test(output)
    ? 'the package registry cannot be reached.\n' +
      'Connect to the network and run this again. Behind a mirror: `npm config set registry <address>`.\n' +
      'Without any network: copy node_modules from a machine with the same system and the same version of this directory.'
    : /ENOSPC/.test(output)
      ? 'the disk is full. Free some space and run this again.'
      : /EACCES|EPERM|EROFS/.test(output)
        ? 'this directory cannot be written. Give this user the right to write it, or work in a copy.'
        : 'npm failed. What it says stands below.'
  return `Cannot install the packages: ${reason}\n\n${shown}`
}
