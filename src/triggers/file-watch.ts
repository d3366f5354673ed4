import { join, resolve } from 'node:path'
import type { TriggerDoor } from '../client/trigger-door.ts'
import { absoluteGlob, readGlob } from '../core/trigger/glob.ts'
import type { Log } from '../log.ts'
import { deliverSurely, type Patience } from './deliver.ts'
import { openFileLedger } from './file-ledger.ts'
import { createFilePattern, type FilePattern, type FileTrigger } from './file-pattern.ts'
import { type TriggerSource, triggersOf } from './source.ts'

// file-watch.ts: file_watch triggers (docs/decisions/0020-watched-files.md).

export interface FileWatchDeps {
  readonly door: Pick<TriggerDoor, 'deliver'>
  readonly log: Log
  readonly dataDir: string
  /** Relative patterns begin here. */
  readonly workdir: string
  readonly patience?: Patience
  readonly sweepMs?: number
}

/** Watches the files of all file_watch triggers, and delivers what happens to them. */
export const createFileWatch = async (deps: FileWatchDeps): Promise<TriggerSource> => {
  const { door, log, dataDir, workdir, patience, sweepMs } = deps
  const own = resolve(dataDir)
  const ledger = await openFileLedger({
    path: join(own, 'triggers', 'files.jsonl'),
    warn: (message, details) => log.warn(message, details),
  })
  const patterns = new Map<string, FilePattern>()
  const closing = new AbortController()
  const sure = { door, log, signal: closing.signal, ...(patience && { patience }) }
  let turn: Promise<void> = Promise.resolve()

  const open = async (pattern: string, triggers: readonly FileTrigger[]): Promise<void> => {
    const read = readGlob(pattern)
    // The compiler refuses patterns that cannot be read; the folder in front of this one may have odd characters.
    if (!read.ok) {
      log.warn(`Cannot watch "${pattern}": ${read.reason}`)
      return
    }
    const opened = createFilePattern({
      pattern,
      glob: read.glob,
      triggers,
      ledger,
      log,
      // What the engine writes would begin runs that write more.
      isIgnored: (path) => path === own || path.startsWith(`${own}/`),
      deliver: (occurrence, isMeant) =>
        deliverSurely(sure, occurrence, {
          concerns: (_, trigger) =>
            trigger.type === 'file_watch' && absoluteGlob(trigger.path, workdir) === pattern && isMeant(trigger),
        }),
      ...(sweepMs !== undefined && { sweepMs }),
    })
    patterns.set(pattern, opened)
    await opened.start()
  }

  const follow = async (byPattern: ReadonlyMap<string, readonly FileTrigger[]>): Promise<void> => {
    for (const [pattern, opened] of [...patterns]) {
      if (byPattern.has(pattern)) continue
      patterns.delete(pattern)
      await opened.close()
    }
    for (const [pattern, triggers] of byPattern) {
      if (closing.signal.aborted) return
      const opened = patterns.get(pattern)
      if (opened === undefined) await open(pattern, triggers)
      else opened.setTriggers(triggers)
    }
  }

  return {
    follow: (all) => {
      const byPattern = groupBy(triggersOf(all, 'file_watch'), ({ trigger }) => absoluteGlob(trigger.path, workdir))
      turn = turn
        .then(() => follow(byPattern))
        .catch((error: unknown) => log.error('Cannot watch files for triggers', { error }))
      return turn
    },
    health: () => {
      if (patterns.size === 0) return undefined
      const problems = [...patterns.values()].flatMap((each) => each.problems())
      const waits = [...patterns.values()].flatMap((each) => each.waits())
      const detail = [...problems, ...waits].join('; ')
      return { ok: problems.length === 0, ...(detail !== '' && { detail }) }
    },
    close: async () => {
      closing.abort()
      await turn
      await Promise.all([...patterns.values()].map((each) => each.close()))
      await ledger.close()
    },
  }
}

const groupBy = <T>(values: readonly T[], keyOf: (value: T) => string): ReadonlyMap<string, readonly T[]> => {
  const groups = new Map<string, T[]>()
  for (const value of values) {
    const key = keyOf(value)
    groups.set(key, [...(groups.get(key) ?? []), value])
  }
  return groups
}
