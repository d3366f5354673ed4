import { type FSWatcher, watch } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Catalog, CatalogEntry } from '../client/catalog.ts'
import type { Log } from '../log.ts'

// catalog-watch.ts: tells when the SOP directory changes. The file system says that something happened, where it can; what,
// the catalog finds out. Besides it is looked at from time to time, since a network folder says nothing.

export type CatalogListener = (entries: readonly CatalogEntry[]) => void

export interface CatalogWatch {
  /** Looks now, and from now on tells of changes. Fulfilled after the first look. */
  start(): Promise<void>
  /** Called with the whole catalog, at once where it is known already, and then whenever it has changed. @returns how to end it */
  onChange(listener: CatalogListener): () => void
  /** Looks now. The listeners have heard of it when this is fulfilled. */
  look(): Promise<void>
  close(): Promise<void>
}

export interface CatalogWatchOptions {
  readonly catalog: Pick<Catalog, 'list'>
  readonly sopDir: string
  readonly workdir: string
  readonly log: Pick<Log, 'warn' | 'info'>
}

/** Events of one save come together. */
const EVENTS_MS = 20
/** A save is often several events, and an empty file in between: a change counts once it has stood for so long. */
const SETTLE_MS = 100
/** Time between two looks where nothing is heard of: a twentieth of it is spent looking. */
const [LEAST_PAUSE_MS, MOST_PAUSE_MS] = [400, 5_000]
const PAUSE_PER_LOOK = 20
/** More folders than these are not watched, only looked at. */
const MOST_FOLDERS = 5_000

export const createCatalogWatch = ({ catalog, sopDir, workdir, log }: CatalogWatchOptions): CatalogWatch => {
  const root = resolve(workdir, sopDir)
  const listeners = new Set<CatalogListener>()
  const folders = createFolderWatch(() => later(EVENTS_MS))
  let known: Seen | undefined
  let unsettled: Seen | undefined
  let looking: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let due = Number.POSITIVE_INFINITY
  let isClosed = false
  let problem: string | undefined

  const tell = (listener: CatalogListener, entries: readonly CatalogEntry[]): void => {
    try {
      listener(entries)
    } catch (error) {
      log.warn(`A change of the SOP directory could not be followed: ${(error as Error).message}`)
    }
  }
  const settle = (seen: Seen): void => {
    if (known !== undefined && isSame(known.mark, seen.mark)) {
      unsettled = undefined
      return
    }
    const isFirst = known === undefined
    if (!isFirst && (unsettled === undefined || !isSame(unsettled.mark, seen.mark))) unsettled = seen
    const stoodMs = seen.at - (unsettled ?? seen).at
    if (!isFirst && stoodMs < SETTLE_MS) return later(SETTLE_MS - stoodMs)
    known = seen
    unsettled = undefined
    for (const listener of listeners) tell(listener, seen.entries)
  }
  const read = async (): Promise<void> => {
    try {
      const entries = await catalog.list()
      if (problem !== undefined) log.info('The SOP directory can be read again')
      problem = undefined
      folders.follow(foldersOf(root, entries))
      settle({ entries, mark: markOf(entries), at: performance.now() })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (reason !== problem) log.warn(`${reason}. Until then schedules and other sources stay as they are`)
      problem = reason
    }
  }
  const look = (): Promise<void> => {
    looking ??= read().finally(() => {
      looking = undefined
    })
    return looking
  }
  const round = async (): Promise<void> => {
    due = Number.POSITIVE_INFINITY
    // What began before the event may not have seen it.
    await looking
    const begun = performance.now()
    await look()
    later(Math.min(Math.max((performance.now() - begun) * PAUSE_PER_LOOK, LEAST_PAUSE_MS), MOST_PAUSE_MS))
  }
  const later = (ms: number): void => {
    if (isClosed || Date.now() + ms >= due) return
    clearTimeout(timer)
    due = Date.now() + ms
    timer = setTimeout(() => void round(), ms)
    timer.unref()
  }
  return {
    start: async () => {
      await look()
      later(LEAST_PAUSE_MS)
    },
    onChange: (listener) => {
      listeners.add(listener)
      if (known !== undefined) tell(listener, known.entries)
      return () => void listeners.delete(listener)
    },
    look: async () => {
      await looking
      await look()
      while (unsettled !== undefined && !isClosed) {
        await delay(SETTLE_MS)
        await look()
      }
    },
    close: async () => {
      isClosed = true
      clearTimeout(timer)
      folders.close()
      listeners.clear()
      await looking
    },
  }
}

interface Seen {
  readonly entries: readonly CatalogEntry[]
  readonly mark: readonly unknown[]
  readonly at: number
}

/** What tells two states of the catalog apart: files are read anew only when they changed, and errors may come from others. */
const markOf = (entries: readonly CatalogEntry[]): readonly unknown[] =>
  entries.flatMap(({ name, path, files, compiled }) => [
    name,
    path,
    // Broken entries without files are made anew each time.
    files.length === 0 ? '' : files,
    compiled.definition,
    compiled.definition === undefined ? compiled.diagnostics.map(({ message }) => message).join('\n') : '',
  ])

const isSame = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((value, at) => value === other[at])

/** The folders of all SOPs and those above them, down from the root. */
const foldersOf = (root: string, entries: readonly CatalogEntry[]): ReadonlySet<string> => {
  const folders = new Set([root])
  for (const { path, files } of entries) {
    for (const file of [path, ...files.map((each) => each.path)]) {
      for (let folder = dirname(file); folder !== '.' && folder !== '/' && folder !== ''; folder = dirname(folder)) {
        folders.add(join(root, folder))
      }
    }
  }
  return folders
}

/** Watches folders for whatever happens in them. What cannot be watched is passed over: there are the looks besides. */
const createFolderWatch = (onEvent: () => void) => {
  const watchers = new Map<string, FSWatcher>()
  const drop = (folder: string): void => {
    watchers.get(folder)?.close()
    watchers.delete(folder)
  }
  return {
    follow: (folders: ReadonlySet<string>): void => {
      for (const folder of watchers.keys()) if (!folders.has(folder)) drop(folder)
      for (const folder of folders) {
        if (watchers.has(folder) || watchers.size >= MOST_FOLDERS) continue
        try {
          const watcher = watch(folder, { persistent: false }, onEvent)
          // A folder that goes away, also to be made anew under its name.
          watcher.on('error', () => drop(folder))
          watchers.set(folder, watcher)
        } catch {
          // No more watches, or none there.
        }
      }
    },
    close: () => {
      for (const folder of watchers.keys()) drop(folder)
    },
  }
}
