import { stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { Json } from '../core/definition.ts'
import type { Occurrence } from '../core/trigger/occurrence.ts'
import {
  changeKey,
  changeOf,
  type FileChange,
  type FileMark,
  observe,
  SETTLE_MS,
  type WatchedFile,
} from '../core/trigger/file-change.ts'
import type { Glob } from '../core/trigger/glob.ts'
import type { Log } from '../log.ts'
import type { FileLedger } from './file-ledger.ts'
import { createFileTree, isGone } from './file-tree.ts'
import type { SourceTrigger, TriggerOf } from './source.ts'

// file-pattern.ts: the files of one pattern, from the first look to the delivery. Triggers with the same pattern share it.

export type FileTrigger = SourceTrigger<TriggerOf<'file_watch'>>

export interface FilePatternOptions {
  /** The pattern, absolute. */
  readonly pattern: string
  readonly glob: Glob
  readonly triggers: readonly FileTrigger[]
  readonly ledger: FileLedger
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly isIgnored: (path: string) => boolean
  /** @returns false when it was given up */
  readonly deliver: (
    occurrence: Occurrence,
    concerns: (trigger: TriggerOf<'file_watch'>) => boolean,
  ) => Promise<boolean>
  readonly sweepMs?: number
  readonly now?: () => number
}

export interface FilePattern {
  /** Looks at everything once; from then on changes count. */
  start(): Promise<void>
  /** Takes the place of the triggers that had the pattern before. */
  setTriggers(triggers: readonly FileTrigger[]): void
  /** Sentences about what cannot be seen. */
  problems(): readonly string[]
  /** What is not there yet, and may come. */
  waits(): readonly string[]
  readonly files: number
  close(): Promise<void>
}

/** Files of one pattern that are watched; more are passed over and told. */
const MAX_FILES = 100_000
/** Deliveries of one pattern that are under way at once. */
const AT_ONCE = 8

/** Watches the files of one pattern. */
export const createFilePattern = (options: FilePatternOptions): FilePattern => {
  const { pattern, glob, ledger, log, isIgnored, deliver, now = Date.now } = options
  let triggers = options.triggers
  const files = new Map<string, WatchedFile>()
  const waiting = new Set<string>()
  const telling = new Map<string, Promise<void>>()
  const again = new Set<string>()
  /** What was under way when the engine ended. */
  const left = new Set<string>()
  const queue: (() => Promise<void>)[] = []
  let isOld = true
  let isClosed = false
  let isFull = false
  let isSettling = false
  let timer: NodeJS.Timeout | undefined

  const settleMs = (): number => Math.max(0, ...triggers.map(({ trigger }) => trigger.settleMs ?? SETTLE_MS))
  const hasOnStart = (): boolean => triggers.some(({ trigger }) => trigger.onStart === true)

  const put = (path: string, file: WatchedFile): void => {
    if (file.known === undefined && file.waiting === undefined) files.delete(path)
    else files.set(path, file)
    if (file.waiting === undefined) waiting.delete(path)
    else waiting.add(path)
  }
  const know = (path: string, mark: FileMark | undefined): void => {
    put(path, mark === undefined ? {} : { known: mark })
    ledger.know(pattern, path, mark)
  }

  const look = async (path: string): Promise<void> => {
    const mark = await markOf(path)
    if (mark === 'hidden' || isClosed) return
    if (telling.has(path)) {
      again.add(path)
      return
    }
    const before = files.get(path) ?? {}
    if (mark !== undefined && !files.has(path) && files.size >= MAX_FILES) {
      if (!isFull) log.warn(`Pattern "${pattern}" means more than ${MAX_FILES} files: the others are not watched`)
      isFull = true
      return
    }
    // What was seen to change before the engine ended counts in any case.
    const wasOff = isOld && !left.has(path)
    const after = observe(before, mark, { nowMs: now(), isOld: wasOff })
    if (after.waiting?.isOld === true && !hasOnStart()) return know(path, mark)
    if (after === before) return
    put(path, after)
    if (after.waiting !== undefined) {
      if (before.waiting === undefined && after.waiting.isOld !== true) ledger.dirty(pattern, path)
      wind()
    } else if (before.waiting !== undefined) ledger.know(pattern, path, mark)
  }

  const wind = (): void => {
    if (timer !== undefined || isSettling || isClosed || waiting.size === 0) return
    timer = setTimeout(
      () => {
        timer = undefined
        isSettling = true
        void tellSettled().finally(() => {
          isSettling = false
          wind()
        })
      },
      Math.min(500, Math.max(20, settleMs() / 4)),
    )
    timer.unref()
  }

  const tellSettled = async (): Promise<void> => {
    const due = [...waiting].filter((path) => changeOf(files.get(path) ?? {}, now(), settleMs()) !== undefined)
    // Without its folder nothing is known of a file, least of all that somebody deleted it.
    if (due.length === 0 || !(await tree.hasRoot())) return
    for (const path of due) {
      if (isClosed || telling.has(path)) continue
      await look(path)
      const file = files.get(path)
      const change = file && changeOf(file, now(), settleMs())
      if (file === undefined || change === undefined) continue
      if (isAsked(change, file.waiting?.isOld === true)) tell(path, change, file.waiting?.isOld === true)
      else know(path, change.action === 'delete' ? undefined : change.mark)
    }
  }
  const isMeant = (trigger: TriggerOf<'file_watch'>, { action }: FileChange, wasOff: boolean): boolean =>
    trigger.events.includes(action) && (!wasOff || trigger.onStart === true)
  const isAsked = (change: FileChange, wasOff: boolean): boolean =>
    triggers.some(({ trigger }) => isMeant(trigger, change, wasOff))

  const tell = (path: string, change: FileChange, wasOff: boolean): void => {
    let done: () => void = () => {}
    telling.set(
      path,
      new Promise((resolve) => {
        done = resolve
      }),
    )
    waiting.delete(path)
    queue.push(async () => {
      try {
        await ledger.intend(pattern, path, change)
        if (isClosed) return
        if (await deliver(occurrenceOf(pattern, path, change, now()), (trigger) => isMeant(trigger, change, wasOff)))
          know(path, change.action === 'delete' ? undefined : change.mark)
      } catch (error) {
        // It was not told: it goes on waiting.
        log.warn(`Cannot tell what happened to file "${path}": ${(error as Error).message}. It is tried again`)
        const file = files.get(path)
        if (file !== undefined) put(path, file)
      } finally {
        telling.delete(path)
        done()
        if (again.delete(path)) await look(path)
        wind()
      }
    })
    void work()
  }
  let working = 0
  const work = async (): Promise<void> => {
    if (working >= AT_ONCE) return
    working++
    for (let next = queue.shift(); next !== undefined && !isClosed; next = queue.shift()) await next()
    working--
  }

  const tree = createFileTree({
    glob,
    isIgnored,
    look,
    known: () => files.keys(),
    ...(options.sweepMs !== undefined && { sweepMs: options.sweepMs }),
  })

  return {
    start: async () => {
      for (const [path, { known, intent, isDirty }] of ledger.watch(pattern) ?? []) {
        if (known !== undefined) files.set(path, { known })
        if (intent !== undefined || isDirty === true) left.add(path)
        if (intent !== undefined) {
          files.set(path, { ...(known && { known }), waiting: { mark: intent.mark, sinceMs: now() } })
          again.add(path)
          // Its triggers were asked before it was written down; which ones those were does not matter any more.
          if (isAsked(intent, false)) tell(path, intent, false)
          else know(path, intent.action === 'delete' ? undefined : intent.mark)
        }
      }
      ledger.begin(pattern)
      await tree.sweep()
      isOld = false
      left.clear()
    },
    setTriggers: (next) => {
      triggers = next
    },
    waits: () => tree.waits(),
    problems: () => [
      ...tree.problems(),
      ...(isFull ? [`pattern "${pattern}" means more than ${MAX_FILES} files: the others are not watched`] : []),
    ],
    get files() {
      return files.size
    },
    close: async () => {
      isClosed = true
      clearTimeout(timer)
      await tree.close()
      await Promise.all(telling.size === 0 ? [] : under())
    },
  }

  /** Deliveries that have begun; what only waits stands in the ledger. */
  function under(): readonly Promise<void>[] {
    const queued = queue.length
    return [...telling.values()].slice(0, telling.size - queued)
  }
}

/** The file as it is now; `undefined`: there is none; `hidden`: nobody can tell. */
const markOf = async (path: string): Promise<FileMark | 'hidden' | undefined> => {
  try {
    const found = await stat(path, { bigint: true })
    if (!found.isFile()) return undefined
    return { content: `${found.size}-${found.mtimeNs}-${found.ino}`, changedNs: String(found.ctimeNs) }
  } catch (error) {
    return isGone((error as NodeJS.ErrnoException).code ?? '') ? undefined : 'hidden'
  }
}

const occurrenceOf = (pattern: string, path: string, change: FileChange, nowMs: number): Occurrence => {
  const [size, modifiedNs = '0'] = change.mark.content.split('-')
  const payload: Json = {
    path,
    name: basename(path),
    folder: dirname(path),
    event: change.action,
    size: Number(size),
    modified_at: new Date(Number(BigInt(modifiedNs) / 1_000_000n)).toISOString(),
  }
  return {
    source: 'file_watch',
    subject: path,
    action: change.action,
    at: new Date(nowMs).toISOString(),
    payload,
    key: changeKey(path, change),
    principal: { id: `file_watch:${pattern}`, kind: 'service' },
  }
}
