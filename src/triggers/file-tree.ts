import { type FSWatcher, watch } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Glob } from '../core/trigger/glob.ts'

// file-tree.ts: notices where files of a pattern may have changed. What the system tells (one watch a folder, not one a
// file) is only a hint where to look; a sweep over everything finds what it did not tell: on network shares, after an
// overflow, where watches ran out. Invariants:
//   T1 a folder is watched before it is read, so that nothing falls in between.
//   T2 links to folders are not followed, so there are no loops and no way out of the folder.
//   T3 of a folder that cannot be read, or of a root that is not there, nothing is known: its files are not gone.

export interface FileTreeOptions {
  readonly glob: Glob
  /** Folders that are nobody's business. */
  readonly isIgnored: (path: string) => boolean
  /** Looks at one file, which may be there or not, or in a folder that cannot be read. Never throws. */
  readonly look: (path: string) => Promise<void>
  /** All files that are known. */
  readonly known: () => Iterable<string>
  /** Longest time between two sweeps while they are quick, in milliseconds. Default 30,000. */
  readonly sweepMs?: number
}

export interface FileTree {
  /** Looks at everything once; fulfilled when that is done. */
  sweep(): Promise<void>
  /** Whether the folder that the pattern begins in is there now. */
  hasRoot(): Promise<boolean>
  /** Sentences about what cannot be seen. */
  problems(): readonly string[]
  /** What is not there yet, and may come. */
  waits(): readonly string[]
  close(): Promise<void>
}

const SWEEP_MS = 30_000
/** A sweep may take this part of the time. */
const SWEEP_SHARE = 50
/** Hints are gathered for so long. */
const GATHER_MS = 20
/** Files that are looked at side by side. */
const AT_ONCE = 32

interface WatchedFolder {
  readonly watcher: FSWatcher
  readonly inode: bigint
}

/** Begins to notice once `sweep()` was called. */
export const createFileTree = (options: FileTreeOptions): FileTree => {
  const { glob, isIgnored, look, known, sweepMs = SWEEP_MS } = options
  const root = glob.plain ?? glob.base
  const folders = new Map<string, WatchedFolder>()
  const unreadable = new Set<string>()
  const unwatched = new Set<string>()
  const hints = new Set<string>()
  let above: { readonly path: string; readonly watcher: FSWatcher } | undefined
  let isMissing = false
  /** The root was there since the start, or files of it are known from before. */
  let wasThere = false
  let isClosed = false
  let timer: NodeJS.Timeout | undefined
  let gathering: NodeJS.Timeout | undefined
  let turn: Promise<void> = Promise.resolve()

  const inTurn = (work: () => Promise<void>): Promise<void> => {
    turn = turn.then(() => (isClosed ? undefined : work()))
    return turn
  }
  const hint = (path: string): void => {
    if (isClosed) return
    hints.add(path)
    gathering ??= setTimeout(() => {
      gathering = undefined
      void inTurn(followHints)
    }, GATHER_MS)
  }
  const followHints = async (): Promise<void> => {
    const paths = [...hints]
    hints.clear()
    if (isMissing) return sweepNow()
    await each(paths, (path) => visit(path, undefined))
  }

  const watchFolder = (path: string, inode: bigint): void => {
    if (folders.get(path)?.inode === inode) return
    unwatchFolder(path)
    try {
      const watcher = watch(path, { persistent: false }, (_, name) => {
        const child = name === null ? path : join(path, name)
        // A folder that is removed tells its own name.
        if (name === null || name === basename(path) || glob.matches(child) || glob.mayLieBelow(child)) hint(child)
      })
      watcher.on('error', () => {
        unwatchFolder(path)
        hint(path)
      })
      folders.set(path, { watcher, inode })
      unwatched.delete(path)
    } catch {
      // No more watches are to be had, or the folder is gone: the sweep sees to it.
      unwatched.add(path)
    }
  }
  const unwatchFolder = (path: string): void => {
    folders.get(path)?.watcher.close()
    folders.delete(path)
  }

  /** @param seen takes the files that were met */
  const visit = async (path: string, seen: Set<string> | undefined): Promise<void> => {
    if (isClosed || isIgnored(path)) return
    // The root itself may be a link.
    const ask = path === root || path === glob.base ? stat : lstat
    const found = await ask(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => error.code ?? '')
    if (typeof found === 'string') {
      if (isGone(found)) await lost(path)
      return
    }
    if (found.isDirectory()) {
      if (glob.mayLieBelow(path)) await enter(path, found.ino, seen)
      // A file of that name is gone; a sweep finds that by itself.
      if (seen === undefined && glob.matches(path)) await look(path)
    } else if (glob.matches(path)) {
      seen?.add(path)
      await look(path)
    }
  }

  const enter = async (path: string, inode: bigint, seen: Set<string> | undefined): Promise<void> => {
    watchFolder(path, inode)
    const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => error)
    if (entries instanceof Error) {
      if (isGone(entries.code ?? '')) return lost(path)
      unreadable.add(path)
      return
    }
    unreadable.delete(path)
    const files: string[] = []
    for (const entry of entries) {
      const child = join(path, entry.name)
      if (entry.isDirectory()) await visit(child, seen)
      else if (glob.matches(child) && !isIgnored(child)) files.push(child)
    }
    for (const file of files) seen?.add(file)
    await each(files, look)
  }

  /** Something is not there any more: a file, or a folder with all that was in it. */
  const lost = async (path: string): Promise<void> => {
    const below = `${path === '/' ? '' : path}/`
    for (const folder of [...folders.keys()]) {
      if (folder === path || folder.startsWith(below)) unwatchFolder(folder)
    }
    for (const set of [unreadable, unwatched]) {
      for (const folder of [...set]) if (folder === path || folder.startsWith(below)) set.delete(folder)
    }
    if (!(await hasRoot())) return standAbove()
    await each(
      [...known()].filter((file) => file === path || file.startsWith(below)),
      look,
    )
  }

  const hasRoot = async (): Promise<boolean> => {
    const found = await stat(root).catch((error: NodeJS.ErrnoException) => error)
    if (!(found instanceof Error)) return true
    // A pattern that names one file: its folder is the root.
    return root !== glob.base && ![...known()].some((file) => file !== root) && isThere(glob.base)
  }

  /** Waits for the root to come (back): the nearest folder above it that is there tells. */
  const standAbove = async (): Promise<void> => {
    wasThere ||= [...known()].length > 0
    isMissing = true
    let path = dirname(root)
    while (path !== '/' && !(await isThere(path))) path = dirname(path)
    if (above?.path === path) return
    above?.watcher.close()
    above = undefined
    try {
      const watcher = watch(path, { persistent: false }, () => hint(root))
      watcher.on('error', () => {
        watcher.close()
        if (above?.watcher === watcher) above = undefined
        hint(root)
      })
      above = { path, watcher }
      // It may have come before the watch.
      if (await isThere(root)) hint(root)
    } catch {
      // The next sweep looks again.
    }
  }

  const sweepNow = async (): Promise<void> => {
    clearTimeout(timer)
    const startedAt = performance.now()
    if (await hasRoot()) {
      isMissing = false
      wasThere = true
      above?.watcher.close()
      above = undefined
      const seen = new Set<string>()
      await visit(glob.base, seen)
      const lostFiles = [...known()].filter((path) => !seen.has(path))
      if (await hasRoot()) await each(lostFiles, look)
    } else await standAbove()
    const tookMs = performance.now() - startedAt
    if (isClosed) return
    timer = setTimeout(() => void inTurn(sweepNow), Math.max(sweepMs, tookMs * SWEEP_SHARE))
    timer.unref()
  }

  return {
    sweep: () => inTurn(sweepNow),
    hasRoot,
    waits: () => (isMissing && !wasThere ? [`folder "${root}" is waited for: it was never there`] : []),
    problems: () => [
      ...(isMissing && wasThere ? [`folder "${root}" is not there`] : []),
      ...listed(unreadable, 'cannot be read'),
      ...listed(unwatched, 'cannot be watched (are there more inotify watches to be had?): a sweep looks at it'),
    ],
    close: async () => {
      isClosed = true
      clearTimeout(timer)
      clearTimeout(gathering)
      above?.watcher.close()
      for (const path of [...folders.keys()]) unwatchFolder(path)
      await turn
    },
  }
}

const listed = (folders: ReadonlySet<string>, what: string): readonly string[] => {
  const [first] = folders
  if (first === undefined) return []
  const more = folders.size === 1 ? '' : ` and ${folders.size - 1} more`
  return [`folder "${first}"${more} ${what}`]
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Whether the system says that there is no such file; other errors say nothing about that. */
export const isGone = (code: string): boolean => ['ENOENT', 'ENOTDIR', 'ELOOP'].includes(code)

const each = async (paths: readonly string[], work: (path: string) => Promise<void>): Promise<void> => {
  let next = 0
  const take = async (): Promise<void> => {
    for (let path = paths[next++]; path !== undefined; path = paths[next++]) await work(path)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, paths.length) }, take))
}
