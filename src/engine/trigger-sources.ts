import type { CatalogEntry } from '../client/catalog.ts'
import type { Log } from '../log.ts'
import { createLeader, type Leader, type LeaderLock } from './leader.ts'
import type { SourceHealth, SourceTrigger, TriggerSource } from './sources/source.ts'

// trigger-sources.ts: the sources that one process of an installation runs (engine/leader.ts), in step with the catalog.

export interface TriggerSourcesOptions {
  /** Calls with the whole catalog, at once where it is known, and whenever it changed. @returns how to end it */
  readonly onChange: (listener: (entries: readonly CatalogEntry[]) => void) => () => void
  readonly lock: LeaderLock
  /** Makes the sources, by name; called each time that this process becomes the leader. */
  readonly open: () => Promise<Readonly<Record<string, TriggerSource>>>
  readonly log: Pick<Log, 'info' | 'warn'>
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

  const lead = async (): Promise<() => Promise<void>> => {
    const opened = await open()
    sources = opened
    const all = Object.values(opened)
    const unlisten = onChange((entries) => {
      const triggers = triggersIn(entries)
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

/** All triggers of SOPs that can start. */
const triggersIn = (entries: readonly CatalogEntry[]): readonly SourceTrigger[] =>
  entries.flatMap(({ compiled: { definition } }) =>
    (definition?.triggers ?? []).map((trigger) => ({
      sop: definition?.name ?? '',
      trigger,
      definition: definition as NonNullable<typeof definition>,
    })),
  )
