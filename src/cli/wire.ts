// wire.ts: the only place of the CLI that knows the rest of the program. Everything is loaded when a verb needs it, so
// that `sop list` reads neither the schema of the configuration nor Temporal.

import type { Catalog, Compiled } from '../client/catalog.ts'
import type { CalendarProblem } from '../core/compile/check-calendars.ts'
import type { SopClient } from '../client/client.ts'
import type { TokenClient } from '../client/http.ts'
import { resolve } from 'node:path'
import type { ExportFiles, Ports, SopFiles } from './ports.ts'
import type { Io } from './io.ts'

export const createPorts = (io: Io): Ports => ({
  connect: (at) => openClient(io, at.url),
  tokens: (at) => openClient(io, at.url),
  browse: async (url) => (await import('./browse.ts')).browse(io, url),
  files: () => openFiles(io),
  settings: async () => {
    const { readConfig, renderConfigProblem } = await import('../config.ts')
    const { describeConfig } = await import('../config/describe.ts')
    const read = readConfig({ env: io.env, cwd: io.cwd })
    for (const problem of read.problems) io.err.write(`sop: ${renderConfigProblem(problem)}\n`)
    return describeConfig(read)
  },
  serve: async ({ json, ...options }) => {
    const { runEngine } = await import('../engine/run-engine.ts')
    return runEngine({ env: io.env, cwd: io.cwd, out: progressSink(io, json), ...options })
  },
  worker: async ({ json, pool, ...options }) => {
    if (pool !== undefined) {
      const { runPoolWorker } = await import('../engine/pool-worker.ts')
      return runPoolWorker({ env: io.env, cwd: io.cwd, out: progressSink(io, json), pool, ...options })
    }
    const { runWorker } = await import('../engine/run-engine.ts')
    return runWorker({ env: io.env, cwd: io.cwd, out: progressSink(io, json) })
  },
  checkUpgrade: async ({ concurrency, json }) => {
    const { runCheckUpgrade } = await import('../engine/run-check-upgrade.ts')
    const out = { isTTY: io.errIsTTY, write: json ? () => true : (text: string) => io.err.write(text) }
    return runCheckUpgrade({ env: io.env, cwd: io.cwd, out, concurrency })
  },
  exports: {
    check: async (path, keys) => checkFile(resolve(io.cwd, path), path, keys),
    save: async (path, lines) => saveFile(resolve(io.cwd, path), path, lines),
  },
  backUp: async (out) => (await import('../engine/backup/run-backup.ts')).runBackup({ ...placeOf(io), out }),
  restore: async (file, to) =>
    (await import('../engine/backup/run-backup.ts')).runRestore({ ...placeOf(io), file, to }),
  confirmRestore: async () => (await import('../engine/backup/run-backup.ts')).confirmRestore(placeOf(io)),
  version: readVersion,
})

const placeOf = ({ env, cwd }: Io) => ({ env, cwd })

/** With `--json` standard output stays empty; programs read engine.json of the data directory. */
const progressSink = (io: Io, json: boolean): { readonly isTTY: boolean; write(text: string): unknown } =>
  json
    ? { isTTY: io.errIsTTY, write: (text) => io.err.write(text) }
    : { isTTY: io.isTTY, write: (text) => io.out.write(text) }

const openClient = async (io: Io, url: string | undefined): Promise<SopClient & TokenClient> => {
  const [{ readClientConfig }, { findEngine }, { createHttpClient }] = await Promise.all([
    import('../config/client-config.ts'),
    import('../client/find-engine.ts'),
    import('../client/http.ts'),
  ])
  const config = await readClientConfig({ env: io.env, cwd: io.cwd })
  const engine = findEngine({ dataDir: config.dataDir, url: url ?? config.url, token: config.token })
  return createHttpClient({
    url: engine.url,
    surface: 'cli',
    ...(engine.token === undefined ? {} : { token: engine.token }),
  })
}

const openFiles = async (io: Io): Promise<SopFiles> => {
  const [{ createSopFiles }, { readClientConfig }, { SOP_FILES, readBytes }] = await Promise.all([
    import('./sop-files.ts'),
    import('../config/client-config.ts'),
    import('../client/catalog-files.ts'),
  ])
  const { createCatalog } = await import('../client/catalog.ts')
  const { createSop } = await import('../client/create-sop.ts')
  const { sopDir } = await readClientConfig({ env: io.env, cwd: io.cwd })
  const openCatalog = (folder: string): Catalog =>
    createCatalog({ sopDir: folder, workdir: io.cwd, calendarProblem: calendarProblem(resolve(io.cwd, folder)) })
  return createSopFiles({
    sopDir,
    cwd: io.cwd,
    folderFiles: SOP_FILES,
    openCatalog,
    createSop,
    compileFiles,
    readText: async (at) => new TextDecoder().decode((await readBytes(at)).bytes),
    calendarProblem: calendarProblem(sopDir),
  })
}

/** The library that reads calendars is loaded by SOPs that name one. */
const calendarProblem =
  (sopDir: string): CalendarProblem =>
  async (path, file) => {
    const { createCalendarProblem } = await import('../adapters/holidays.ts')
    return createCalendarProblem(sopDir)(path, file)
  }

const compileFiles = async (
  files: readonly { readonly path: string; readonly at: string }[],
  fallbackName: string,
): Promise<Compiled> => {
  const { compile, decodeSource } = await import('../core/compile.ts')
  const { readBytes } = await import('../client/catalog-files.ts')
  const decoded = await Promise.all(
    files.map(async ({ path, at }) => ({ path, ...decodeSource(path, (await readBytes(at)).bytes) })),
  )
  const problems = decoded.flatMap((each) => ('diagnostic' in each ? [each.diagnostic] : []))
  if (problems.length > 0) return { name: fallbackName, diagnostics: problems }
  const sources = decoded.flatMap((each) => ('text' in each ? [{ path: each.path, text: each.text }] : []))
  return compile({ files: sources, fallbackName })
}

const checkFile = async (at: string, shown: string, keys: readonly string[]): ReturnType<ExportFiles['check']> => {
  const { stat } = await import('node:fs/promises')
  const isFile = await stat(at).then(
    (found) => found.isFile(),
    () => false,
  )
  if (!isFile) return undefined
  const { checkExport } = await import('../client/check-export.ts')
  return checkExport(at, keys, shown)
}

/** A part of a file would look like one that was cut off: it gets its name when it is whole. */
const saveFile = async (at: string, shown: string, lines: AsyncIterable<string>): ReturnType<ExportFiles['save']> => {
  const [{ open, rename, rm, stat }, { SopError }] = await Promise.all([
    import('node:fs/promises'),
    import('../core/errors.ts'),
  ])
  const isThere = await stat(at).then(
    () => true,
    () => false,
  )
  if (isThere) {
    throw new SopError('conflict', `Cannot write "${shown}": there is such a file already. Name another one with --out`)
  }
  const draft = `${at}.${process.pid}.part`
  const file = await open(draft, 'wx', 0o600).catch((error: unknown) => {
    throw new SopError('invalid', `Cannot write "${shown}": ${(error as Error).message}`, {}, error)
  })
  let bytes = 0
  try {
    for await (const line of lines) bytes += (await file.write(line)).bytesWritten
    await file.sync()
    await rename(draft, at)
  } finally {
    await file.close()
    await rm(draft, { force: true })
  }
  return { bytes }
}

const readVersion = async (): Promise<string> => {
  const { readFile } = await import('node:fs/promises')
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8')
  return String((JSON.parse(text) as { version: unknown }).version)
}
