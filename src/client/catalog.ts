import { access } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { linkSops } from '../core/compile/link-sops.ts'
import { type Compiled, compile, decodeSource } from '../core/compile.ts'
import type { Diagnostic } from '../core/diagnostic.ts'
import { SopError } from '../core/errors.ts'
import { type CalendarProblem, checkCalendars } from '../core/compile/check-calendars.ts'
import { type Broken, type Candidate, codeOf, fileError, findFiles, readBytes, stampOf } from './catalog-files.ts'

export type { Compiled } from '../core/compile.ts'

/** One SOP of the directory, compiled or broken. */
export interface CatalogEntry {
  readonly name: string
  /** Its main file, relative to the SOP directory. */
  readonly path: string
  /** Its files as they were compiled; paths relative to the SOP directory. */
  readonly files: readonly { readonly path: string; readonly text: string }[]
  /** The same object as long as the files stand unchanged. */
  readonly compiled: Compiled
}

export interface Catalog {
  /** Every SOP below the directory by name, broken ones included. @throws SopError `not_found` without a directory */
  list(): Promise<readonly CatalogEntry[]>
  /** The SOP of that name as its files stand now; of two with one name the first, which then holds the error. */
  get(name: string): Promise<CatalogEntry | undefined>
}

export interface CatalogOptions {
  readonly sopDir: string
  /** Where the fallback `.pi/sops` is looked for when the directory is missing. Default: the working directory. */
  readonly workdir?: string
  /** Absent: calendar files of holidays are not looked at. */
  readonly calendarProblem?: CalendarProblem
}

interface Source {
  readonly path: string
  readonly key: string
  readonly isRacy: boolean
  readonly text: string
  readonly problems: readonly Diagnostic[]
}
interface Kept {
  readonly sources: readonly Source[]
  /** `undefined`: a Markdown file that is no SOP. */
  readonly entry: CatalogEntry | undefined
}

const AT_ONCE = 32

/** At most `AT_ONCE` at a time, results in order: a thousand open files would meet the system's limit. */
const mapLimited = async <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> => {
  const results: R[] = []
  let next = 0
  const take = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await work(items[at] as T)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, take))
  return results
}

const hasError = (diagnostics: readonly Diagnostic[]): boolean => diagnostics.some((each) => each.severity === 'error')

const readSource = async (root: string, path: string, before: Source | undefined): Promise<Source> => {
  const full = join(root, path)
  try {
    const stamp = await stampOf(full)
    if (before !== undefined && before.key === stamp.key && !before.isRacy) return before
    const { bytes } = await readBytes(full)
    const decoded = decodeSource(path, bytes)
    const source =
      'text' in decoded
        ? { path, ...stamp, text: decoded.text, problems: [] }
        : { path, ...stamp, text: '', problems: [decoded.diagnostic] }
    // The same text under a newer stamp: what was compiled still holds.
    return before !== undefined && before.text === source.text && before.problems.length + source.problems.length === 0
      ? Object.assign(before, stamp)
      : source
  } catch (error) {
    const problem = fileError('unreadable', path, `Cannot read "${path}": the system says ${codeOf(error)}`)
    return { path, key: `!${codeOf(error)}`, isRacy: false, text: '', problems: [problem] }
  }
}

const hasFrontMatter = (text: string): boolean => /^\ufeff?---[ \t]*(?:\r\n|\n|\r)/.test(text)

/** Markdown that is somebody's notes: neither front matter nor steps (rulings 3). */
const isNotes = ({ isSingle }: Candidate, text: string, { diagnostics }: Compiled): boolean =>
  isSingle && !hasFrontMatter(text) && diagnostics.some(({ code }) => code === 'no-steps' || code === 'empty-file')

const compileSources = (candidate: Candidate, sources: readonly Source[]): CatalogEntry | undefined => {
  const problems = sources.flatMap((source) => source.problems)
  const files = sources.map(({ path, text }) => ({ path, text }))
  const path = candidate.files.at(-1) ?? ''
  if (hasError(problems))
    return {
      name: candidate.fallbackName,
      path,
      files,
      compiled: { name: candidate.fallbackName, diagnostics: problems },
    }
  const compiled = compile({ files, fallbackName: candidate.fallbackName })
  if (isNotes(candidate, files[0]?.text ?? '', compiled)) return undefined
  return {
    name: compiled.name,
    path,
    files,
    compiled: { ...compiled, diagnostics: [...problems, ...compiled.diagnostics] },
  }
}

const brokenEntry = ({ path, fallbackName, diagnostic }: Broken): CatalogEntry => ({
  name: fallbackName,
  path,
  files: [],
  compiled: { name: fallbackName, diagnostics: [diagnostic] },
})

const samePlace = (entry: CatalogEntry): string => `"${entry.path}"`

/** Of two SOPs with one name neither starts: which one was meant would be a guess (rulings 2). */
const refuseTwins = (entries: readonly CatalogEntry[]): CatalogEntry[] => {
  const byName = new Map<string, CatalogEntry[]>()
  // What has no files cannot be meant: a dangling entry of index.json does not stop the SOP that it names.
  for (const entry of entries.filter((each) => each.files.length > 0))
    byName.set(entry.name, [...(byName.get(entry.name) ?? []), entry])
  return entries.map((entry) => {
    const others = (byName.get(entry.name) ?? []).filter((each) => each !== entry)
    if (others.length === 0 || entry.files.length === 0) return entry
    const message = `Cannot tell SOP "${entry.name}" from the one in ${others.map(samePlace).join(' and ')}: both have that name`
    const twin = fileError('duplicate-sop', entry.path, message, 'Give one of them another name.')
    const { definition: _, diagnostics, ...rest } = entry.compiled
    return { ...entry, compiled: { ...rest, diagnostics: [...diagnostics, twin] } }
  })
}

/** An SOP that runs one that is not there, or itself in a circle of others, never starts; nor do those of a circle of triggers. */
const linked = (entries: readonly CatalogEntry[]): readonly CatalogEntry[] => {
  const found = linkSops(entries.map(({ name, compiled: { runs = [] } }) => ({ name, runs })))
  return entries.map((entry, at) => {
    const problems = found[at] ?? []
    if (problems.length === 0) return entry
    const { definition, diagnostics, ...rest } = entry.compiled
    const stays = hasError(problems) || definition === undefined ? {} : { definition }
    return { ...entry, compiled: { ...rest, ...stays, diagnostics: [...diagnostics, ...problems] } }
  })
}

const withCalendars =
  (problemOf: CalendarProblem) =>
  async (entry: CatalogEntry): Promise<CatalogEntry> => {
    const found = await checkCalendars(entry, problemOf)
    const { compiled } = entry
    return found.length === 0
      ? entry
      : { ...entry, compiled: { ...compiled, diagnostics: [...compiled.diagnostics, ...found] } }
  }

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

const missing = async (sopDir: string, workdir: string, error: unknown): Promise<SopError> => {
  if (!['ENOENT', 'ENOTDIR'].includes(codeOf(error)))
    return new SopError(
      'unavailable',
      `Cannot read the SOP directory "${sopDir}": the system says ${codeOf(error)}`,
      {},
      error,
    )
  const old = join(workdir, '.pi', 'sops')
  const hint = (await exists(old))
    ? `There is "${old}": set SOP_DIR=.pi/sops to use it`
    : 'Make it with: sop create NAME, or set SOP_DIR'
  const reason = codeOf(error) === 'ENOTDIR' ? 'it is no folder' : 'there is no such folder'
  return new SopError('not_found', `Cannot read the SOP directory "${sopDir}": ${reason}. ${hint}`, {}, error)
}

/**
 * The SOPs of a directory. Every call looks at the files anew, so an edit is seen by the next one; what did not change is
 * not read or compiled again.
 */
export const createCatalog = ({ sopDir, workdir = process.cwd(), calendarProblem }: CatalogOptions): Catalog => {
  const root = resolve(workdir, sopDir)
  let kept = new Map<string, Kept>()

  const load = async (candidate: Candidate): Promise<Kept> => {
    const before = kept.get(candidate.files.join('\n'))
    const sources = await Promise.all(
      candidate.files.map((path) =>
        readSource(
          root,
          path,
          before?.sources.find((source) => source.path === path),
        ),
      ),
    )
    const isSame = before !== undefined && sources.every((source, at) => source === before.sources[at])
    return isSame ? before : { sources, entry: compileSources(candidate, sources) }
  }

  const list = async (): Promise<readonly CatalogEntry[]> => {
    const found = await findFiles(root).catch(async (error: unknown) => {
      throw await missing(sopDir, workdir, error)
    })
    const loaded = await mapLimited(found.candidates, load)
    kept = new Map(found.candidates.map((candidate, at) => [candidate.files.join('\n'), loaded[at] as Kept]))
    const entries = [
      ...loaded.map((each) => each.entry).filter((entry) => entry !== undefined),
      ...found.broken.map(brokenEntry),
    ]
    const all = linked(refuseTwins(entries))
    const checked = calendarProblem === undefined ? all : await mapLimited(all, withCalendars(calendarProblem))
    return [...checked].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.path < b.path ? -1 : 1))
  }

  const get = async (name: string): Promise<CatalogEntry | undefined> => {
    const named = (await list()).filter((entry) => entry.name === name)
    return named.find((entry) => entry.compiled.definition !== undefined) ?? named[0]
  }
  return { list, get }
}
