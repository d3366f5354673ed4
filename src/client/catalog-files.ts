import { lstat, open, readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { Diagnostic } from '../core/diagnostic.ts'

// catalog-files.ts: which files below the SOP directory make up SOPs (rulings 3). It looks at names and links only; what
// the files say is the compiler's business.

/** The files of an SOP folder, in the order in which the compiler gets them. */
export const SOP_FILES = ['SOP.toml', 'manifest.json', 'SOP.md'] as const
const MAX_DEPTH = 32

/** One SOP as files: a folder's, or a single Markdown file. Paths are relative to the SOP directory, with `/`. */
export interface Candidate {
  readonly files: readonly string[]
  /** The name for a document that sets none: its folder or file stem. */
  readonly fallbackName: string
  /** A single file: it is no SOP unless it has front matter or steps. */
  readonly isSingle: boolean
}

/** Something that should have been an SOP and cannot be read. */
export interface Broken {
  readonly path: string
  readonly fallbackName: string
  readonly diagnostic: Diagnostic
}

export interface Found {
  readonly candidates: readonly Candidate[]
  readonly broken: readonly Broken[]
}

export const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? error)

/** A finding about a file as a whole. */
export const fileError = (code: string, path: string, message: string, help?: string): Diagnostic => ({
  code,
  severity: 'error',
  message,
  place: { file: path, line: 1, column: 1 },
  ...(help === undefined ? {} : { help }),
})

const isBelow = (root: string, path: string): boolean =>
  path === root || path.startsWith(root.endsWith(sep) ? root : root + sep)
const stemOf = (path: string): string => basename(path, extname(path))
const isMarkdown = (name: string): boolean => /\.(?:md|markdown)$/i.test(name)

interface Walk {
  readonly root: string
  readonly candidates: Candidate[]
  readonly broken: Broken[]
  /** Real paths that are listed: what a link shows once more is not listed again. */
  readonly seen: Set<string>
  /** Links to folders and files, looked at when everything else has been found. */
  readonly links: { readonly path: string; readonly depth: number }[]
}

const shown = (walk: Walk, path: string): string => relative(walk.root, path).split(sep).join('/')

const addBroken = (walk: Walk, path: string, code: string, reason: string, help?: string): void => {
  const file = shown(walk, path)
  const isOfFolder = SOP_FILES.some((name) => name === basename(path))
  walk.broken.push({
    path: file,
    fallbackName: isOfFolder ? basename(dirname(path)) : stemOf(file),
    diagnostic: fileError(code, file, `Cannot read "${file}": ${reason}`, help),
  })
}

/** Where a link leads; undefined, and listed, when that is nowhere or outside. */
const target = async (walk: Walk, path: string): Promise<string | undefined> => {
  let real: string
  try {
    real = await realpath(path)
  } catch (error) {
    const reason = codeOf(error) === 'ELOOP' ? 'the link leads to itself' : 'the link leads to nothing'
    addBroken(walk, path, codeOf(error) === 'ELOOP' ? 'link-loop' : 'dangling-link', reason, 'Remove the link.')
    return undefined
  }
  if (isBelow(walk.root, real)) return real
  addBroken(
    walk,
    path,
    'link-outside',
    'the link leaves the SOP directory',
    'Copy the SOP into the directory, or set SOP_DIR to a folder above both.',
  )
  return undefined
}

/** The files of a folder that is an SOP; links among them must stay below the root. */
const addFolder = async (
  walk: Walk,
  folder: string,
  names: readonly string[],
  linked: ReadonlySet<string>,
): Promise<void> => {
  const files: string[] = []
  for (const name of names) {
    const path = join(folder, name)
    if (linked.has(name) && (await target(walk, path)) === undefined) return
    files.push(shown(walk, path))
  }
  walk.candidates.push({ files, fallbackName: basename(folder), isSingle: false })
}

const walkFolder = async (walk: Walk, folder: string, depth: number): Promise<void> => {
  const isRoot = folder === walk.root
  if (walk.seen.has(folder) || depth > MAX_DEPTH) return
  walk.seen.add(folder)
  let entries: import('node:fs').Dirent[]
  try {
    entries = await readdir(folder, { withFileTypes: true })
  } catch (error) {
    if (isRoot) throw error
    addBroken(walk, folder, 'unreadable', `the system says ${codeOf(error)}`)
    return
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  const own = SOP_FILES.filter((file) => entries.some((entry) => entry.name === file))
  const linked = new Set(entries.filter((entry) => entry.isSymbolicLink()).map((entry) => entry.name))
  if (own.length > 0) await addFolder(walk, folder, own, linked)
  if (own.length > 0 && !isRoot) return
  if (depth === 1 && basename(folder) === 'runs') return
  const rest = entries.filter(
    (entry) => !entry.name.startsWith('.') && entry.name !== 'node_modules' && !own.some((name) => name === entry.name),
  )
  for (const entry of rest) {
    const path = join(folder, entry.name)
    if (entry.isSymbolicLink()) walk.links.push({ path, depth })
    else if (entry.isFile() && isMarkdown(entry.name)) addSingle(walk, path)
  }
  await Promise.all(
    rest.filter((entry) => entry.isDirectory()).map((entry) => walkFolder(walk, join(folder, entry.name), depth + 1)),
  )
}

const addSingle = (walk: Walk, path: string): void => {
  if (walk.seen.has(path)) return
  walk.seen.add(path)
  walk.candidates.push({ files: [shown(walk, path)], fallbackName: stemOf(path), isSingle: true })
}

/** A link to a folder or a Markdown file. One that stays inside shows nothing new, unless it leads into a dot folder. */
const followLink = async (walk: Walk, { path, depth }: Walk['links'][number]): Promise<void> => {
  const kind = await stat(path).catch(() => undefined)
  if (kind !== undefined && !kind.isDirectory() && !isMarkdown(path)) return
  const real = await target(walk, path)
  if (real === undefined || kind === undefined) return
  if (isBelow(real, dirname(path)))
    return addBroken(walk, path, 'link-loop', 'the link leads to a folder that it lies in', 'Remove the link.')
  if (kind.isDirectory()) await walkFolder(walk, real, depth + 1)
  else addSingle(walk, real)
}

/** Everything below the root that looks like an SOP. @throws the system's error when the root cannot be listed */
export const findFiles = async (root: string): Promise<Found> => {
  const walk: Walk = { root: await realpath(root), candidates: [], broken: [], seen: new Set(), links: [] }
  await walkFolder(walk, walk.root, 0)
  while (walk.links.length > 0) {
    const link = walk.links.shift()
    if (link !== undefined) await followLink(walk, link)
  }
  await addIndexed(walk)
  return walk
}

/** Seed 002's registry: name → path of a manifest, a Markdown file or a folder. It adds, and never hides. */
const addIndexed = async (walk: Walk): Promise<void> => {
  const path = join(walk.root, 'index.json')
  const entries = await readIndex(walk, path)
  for (const [name, value] of Object.entries(entries ?? {})) {
    const wanted = typeof value === 'string' ? value : pathIn(value)
    if (wanted === undefined) addIndexError(walk, name, 'it has no path', 'Write "name": "folder/manifest.json".')
    else await addIndexedSop(walk, name, wanted)
  }
}

const pathIn = (value: unknown): string | undefined => {
  const table = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  return ['path', 'manifest', 'manifestPath', 'file']
    .map((key) => table[key])
    .find((found) => typeof found === 'string')
}

const addIndexError = (walk: Walk, name: string, reason: string, help?: string): void => {
  walk.broken.push({
    path: 'index.json',
    fallbackName: name,
    diagnostic: fileError('dangling-entry', 'index.json', `Cannot find SOP "${name}" of index.json: ${reason}`, help),
  })
}

const readIndex = async (walk: Walk, path: string): Promise<Readonly<Record<string, unknown>> | undefined> => {
  const source = await readBytes(path).catch((error: unknown) =>
    codeOf(error) === 'ENOENT' ? undefined : { bytes: Buffer.from('') },
  )
  if (source === undefined) return undefined
  try {
    const tree: unknown = JSON.parse(
      Buffer.from(source.bytes)
        .toString('utf8')
        .replace(/^\ufeff/, ''),
    )
    if (typeof tree !== 'object' || tree === null || Array.isArray(tree))
      throw new Error('it is no table of names and paths')
    const { sops } = tree as { sops?: unknown }
    return (typeof sops === 'object' && sops !== null && !Array.isArray(sops) ? sops : tree) as Record<string, unknown>
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    walk.broken.push({
      path: 'index.json',
      fallbackName: 'index.json',
      diagnostic: fileError(
        'bad-index',
        'index.json',
        `Cannot read "index.json": ${reason}`,
        'The SOPs beside it are found without it.',
      ),
    })
    return undefined
  }
}

const addIndexedSop = async (walk: Walk, name: string, wanted: string): Promise<void> => {
  const path = isAbsolute(wanted) ? wanted : resolve(walk.root, wanted)
  if (!isBelow(walk.root, path)) return addIndexError(walk, name, `"${wanted}" lies outside the SOP directory`)
  const real = await realpath(path).catch(() => undefined)
  if (real === undefined)
    return addIndexError(walk, name, `there is no "${wanted}"`, 'Correct the path, or remove the entry.')
  if (!isBelow(walk.root, real)) return addIndexError(walk, name, `"${wanted}" is a link that leaves the SOP directory`)
  const isFolder = (await lstat(real)).isDirectory()
  const isOfFolder = SOP_FILES.some((file) => file === basename(real))
  if (!isFolder && !isOfFolder) {
    if (isMarkdown(real)) return addSingle(walk, real)
    return addIndexError(walk, name, `"${wanted}" is no manifest and no Markdown file`)
  }
  const folder = isFolder ? real : dirname(real)
  const entries = await readdir(folder, { withFileTypes: true })
  const own = SOP_FILES.filter((file) => entries.some((entry) => entry.name === file))
  if (own.length === 0) return addIndexError(walk, name, `"${wanted}" holds neither SOP.md nor a manifest`)
  if (walk.seen.has(folder)) return
  walk.seen.add(folder)
  await addFolder(
    walk,
    folder,
    own,
    new Set(entries.filter((entry) => entry.isSymbolicLink()).map((entry) => entry.name)),
  )
}

/** More than the compiler takes is not read, however large the file is. */
const MAX_BYTES = 1024 * 1024 + 1

/** Names the state of a file; anything that changes its content changes it, except a change within one tick of the clock. */
export interface Stamp {
  readonly key: string
  /** The file was touched so recently that a second change could leave the same stamp. */
  readonly isRacy: boolean
}

const RACY_MS = 200

export const stampOf = async (path: string): Promise<Stamp> => {
  const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
  const newest = Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n)
  return { key: `${ino}:${size}:${mtimeNs}:${ctimeNs}`, isRacy: Math.abs(Date.now() - newest) < RACY_MS }
}

/** The first megabyte of a file and one byte more. */
export const readBytes = async (path: string): Promise<{ readonly bytes: Uint8Array }> => {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const buffer = new Uint8Array(Math.min(size, MAX_BYTES))
    let length = 0
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, length)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return { bytes: buffer.subarray(0, length) }
  } finally {
    await file.close()
  }
}
