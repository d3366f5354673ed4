import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where a build keeps the stamp of what it was made from. */
export const STAMP = '.build.json'

/**
 * What dist has of its own: the programs, and the page that they serve. Each is built anew only when its own sources changed.
 *
 * @typedef {object} Part
 * @property {string} folder where it lies below dist
 * @property {(path: string) => boolean} has whether a file of src is one of its sources
 * @property {readonly string[]} inputs what it is made of besides
 */

const PAGE_SOURCES = 'src/web/'

/** @type {Readonly<Record<'programs' | 'page', Part>>} */
export const PARTS = {
  programs: {
    folder: '.',
    has: (path) => !path.startsWith(PAGE_SOURCES),
    inputs: [
      'package-lock.json',
      'tsconfig.json',
      'tsconfig.build.json',
      'scripts/build-output.mjs',
      'scripts/bundle.mjs',
    ],
  },
  page: {
    folder: 'web',
    has: (path) => path.startsWith(PAGE_SOURCES),
    inputs: ['package-lock.json', 'vite.config.ts', 'scripts/build-page.mjs'],
  },
}

/** Files below a folder, in a fixed order, relative to `root`. @param {string} root @param {string} folder @returns {string[]} */
export function filesBelow(root, folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? filesBelow(root, path) : [path]
  })
}

/** A digest of everything that a part of the build depends on. @param {string} root @param {Part} part */
export function sourceStamp(root, { has, inputs }) {
  const hash = createHash('sha256')
  const sources = filesBelow(root, 'src').filter(has)
  for (const path of [...sources, ...inputs.filter((input) => existsSync(join(root, input)))]) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0')
  }
  return hash.digest('hex')
}

/** Whether there are sources of the page: a program without one is built, too. @param {string} root */
export const hasPage = (root) => existsSync(join(root, PAGE_SOURCES, 'index.html'))

/** Whether a part of dist was built from its sources as they are. @param {string} root @param {Part} part */
export function isPartBuilt(root, part) {
  const file = join(root, 'dist', part.folder, STAMP)
  return existsSync(file) && readFileSync(file, 'utf8') === sourceStamp(root, part)
}

/** Whether dist was built from the sources as they are. @param {string} root */
export function isBuilt(root) {
  return isPartBuilt(root, PARTS.programs) && (!hasPage(root) || isPartBuilt(root, PARTS.page))
}
