import { stat } from 'node:fs/promises'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import type { Catalog, Compiled } from '../client/catalog.ts'
import type { NewSop } from '../client/client.ts'
import { type CalendarProblem, checkCalendars } from '../core/compile/check-calendars.ts'
import { linkSops } from '../core/compile/link-sops.ts'
import { SopError } from '../core/errors.ts'
import type { CheckedSop, SopFiles } from './ports.ts'

export interface SopFilesDeps {
  /** Absolute. */
  readonly sopDir: string
  readonly cwd: string
  /** Names of the files that make up an SOP folder, in the order of the compiler. */
  readonly folderFiles: readonly string[]
  openCatalog(sopDir: string): Catalog
  createSop(sopDir: string, sop: NewSop): ReturnType<SopFiles['create']>
  /** Compiles files: the path under which findings name them, and where they are. */
  compileFiles(
    files: readonly { readonly path: string; readonly at: string }[],
    fallbackName: string,
  ): Promise<Compiled>
  readText(at: string): Promise<string>
  /** Of the SOPs of the directory. */
  readonly calendarProblem: CalendarProblem
}

/**
 * SOPs as files of this machine. A path is checked by itself; one below the SOP directory besides against the SOPs there
 * that it runs. Around any other nothing is read.
 */
export const createSopFiles = (deps: SopFilesDeps): SopFiles => ({
  sopDir: deps.sopDir,
  all: () => listAll(deps, deps.sopDir),
  at: (path) => readAt(deps, path),
  create: (sop) => deps.createSop(deps.sopDir, sop),
})

const listAll = async ({ openCatalog }: SopFilesDeps, sopDir: string): Promise<readonly CheckedSop[]> => {
  const sops = (await openCatalog(sopDir).list()).map(({ name, path, compiled }) => checked(name, path, compiled))
  return [...sops.filter((sop) => sop.compiled), ...sops.filter((sop) => !sop.compiled)]
}

const checked = (name: string, path: string, { definition, diagnostics }: Compiled): CheckedSop => ({
  name,
  path,
  diagnostics,
  compiled: definition !== undefined && diagnostics.every(({ severity }) => severity !== 'error'),
})

const readAt = async (deps: SopFilesDeps, given: string): Promise<readonly CheckedSop[]> => {
  const path = resolve(deps.cwd, given)
  const kind = await kindOf(path)
  if (kind === undefined) throw new SopError('not_found', `Cannot find "${given}": there is no such file`)
  const folder = kind === 'folder' ? path : deps.folderFiles.includes(basename(path)) ? dirname(path) : undefined
  if (folder === undefined) return [await compileOne(deps, [path], basename(path, extname(path)))]
  const own = await presentFiles(deps, folder)
  return own.length === 0 ? listAll(deps, folder) : [await compileOne(deps, own, basename(folder))]
}

const compileOne = async (deps: SopFilesDeps, paths: readonly string[], fallbackName: string): Promise<CheckedSop> => {
  const files = paths.map((at) => ({ at, path: shownPath(deps.cwd, at) }))
  const compiled = await deps.compileFiles(files, fallbackName)
  const path = files.at(-1)?.path ?? ''
  const isOfDirectory = paths.every((at) => isBelow(deps.sopDir, at))
  if (!isOfDirectory) return checked(compiled.name, path, compiled)
  const linked = await linkedOne(deps, compiled)
  const texts = await Promise.all(files.map(async (each) => ({ path: each.path, text: await deps.readText(each.at) })))
  const own = relative(deps.sopDir, paths.at(-1) ?? '')
  const calendars = await checkCalendars({ path, files: texts, compiled: linked }, (_path, file) =>
    deps.calendarProblem(own, file),
  )
  return checked(compiled.name, path, { ...linked, diagnostics: [...linked.diagnostics, ...calendars] })
}

/** With what is wrong between it and the other SOPs of the directory; the findings name the file as it was given. */
const linkedOne = async ({ openCatalog, sopDir }: SopFilesDeps, compiled: Compiled): Promise<Compiled> => {
  const { name, runs } = compiled
  if (runs === undefined) return compiled
  const others = (await openCatalog(sopDir).list())
    .filter((entry) => entry.name !== name)
    .map((entry) => ({ name: entry.name, runs: entry.compiled.runs ?? [] }))
  const [problems = []] = linkSops([{ name, runs }, ...others])
  return { ...compiled, diagnostics: [...compiled.diagnostics, ...problems] }
}

const isBelow = (folder: string, path: string): boolean => !relative(folder, path).startsWith('..')

/** As a person would type it: relative below the working directory, else in full. */
const shownPath = (cwd: string, path: string): string => {
  const below = relative(cwd, path)
  return below.startsWith('..') ? path : below
}

const presentFiles = async ({ folderFiles }: SopFilesDeps, folder: string): Promise<readonly string[]> => {
  const paths = folderFiles.map((name) => join(folder, name))
  const kinds = await Promise.all(paths.map(kindOf))
  return paths.filter((_path, index) => kinds[index] === 'file')
}

const kindOf = async (path: string): Promise<'file' | 'folder' | undefined> => {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file'
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new SopError('unavailable', `Cannot read "${path}": the system says ${code ?? String(error)}`, {}, error)
  }
}
