import type { CatalogEntry } from '../client/catalog.ts'
import type { SopDefinition } from '../core/definition.ts'
import type { Log } from '../log.ts'
import { createLeader, type Leader, type LeaderLock } from './leader.ts'
import type { SourceHealth, SourceTrigger, TriggerSource } from '../triggers/source.ts'

// trigger-sources.ts: the sources that one process of an installation runs (engine/leader.ts), in step with the catalog.

export interface TriggerSourcesOptions {
  /** Calls with the whole catalog, at once where it is known, and whenever it changed. @returns how to end it */
  readonly onChange: (listener: (entries: readonly CatalogEntry[]) => void) => () => void
  readonly lock: LeaderLock
  /** Makes the sources, by name; called each time that this process becomes the leader. */
  readonly open: () => Promise<Readonly<Record<string, TriggerSource>>>
  readonly log: Pick<Log, 'debug' | 'warn'>
  readonly retryMs?: number
}

export interface TriggerSources {
  start(): void
  /** By name, those that have something to do. Empty on a process that is not the leader. */
  health(): Readonly<Record<string, SourceHealth>>
  close(): Promise<void>
}

export const createTriggerSources = (options: TriggerSourcesOptions): TriggerSources => {
  const { onChange, lock, open, log, retryMs } = options
  let leader: Leader | undefined
  let sources: Readonly<Record<string, TriggerSource>> = {}
  const last: LastDefinitions = new Map()

  const lead = async (): Promise<() => Promise<void>> => {
    const opened = await open()
    sources = opened
    const all = Object.values(opened)
    const unlisten = onChange((entries) => {
      // An empty directory is more often one that is not mounted than one that somebody emptied.
      if (entries.length === 0 && last.size > 0) return
      const triggers = triggersIn(entries, last)
      for (const source of all) void source.follow(triggers)
    })
    return async () => {
      unlisten()
      sources = {}
      await Promise.all(all.map((source) => source.close()))
    }
  }
  return {
    start: () => {
      leader ??= createLeader({ lock, lead, log, ...(retryMs !== undefined && { retryMs }) })
    },
    health: () =>
      Object.fromEntries(
        Object.entries(sources).flatMap(([name, source]) => {
          const health = source.health()
          return health === undefined ? [] : [[name, health] as const]
        }),
      ),
    close: async () => {
      await leader?.close()
    },
  }
}

type LastDefinitions = Map<string, SopDefinition>

/** All triggers; of an SOP that does not compile any more those that it had: its owner is told that it could not start. */
const triggersIn = (entries: readonly CatalogEntry[], last: LastDefinitions): readonly SourceTrigger[] =>
  entries.flatMap(({ path, compiled: { definition = last.get(path) } }) => {
    if (definition === undefined) return []
    last.set(path, definition)
    return definition.triggers.map((trigger) => ({ sop: definition.name, trigger, definition }))
  })
