import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What the build is made of, besides src. */
const INPUTS = [
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'scripts/build-output.mjs',
  'scripts/bundle.mjs',
]

/** Where a build keeps the stamp of what it was made from. */
export const STAMP = '.build.json'

/** Files below a folder, in a fixed order, relative to `root`. @param {string} root @param {string} folder @returns {string[]} */
export function filesBelow(root, folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? filesBelow(root, path) : [path]
  })
}

/** A digest of everything that the build depends on. @param {string} root */
export function sourceStamp(root) {
  const hash = createHash('sha256')
  for (const path of [...filesBelow(root, 'src'), ...INPUTS.filter((input) => existsSync(join(root, input)))]) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0')
  }
  return hash.digest('hex')
}

/** Whether dist was built from the sources as they are. @param {string} root @param {string} [stamp] */
export function isBuilt(root, stamp = sourceStamp(root)) {
  const file = join(root, 'dist', STAMP)
  return existsSync(file) && readFileSync(file, 'utf8') === stamp
}
