import { createDeliveryIds } from '../client/delivery-id.ts'
import type { Health } from '../client/client.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import { releaseSchedules, whenConfirmed } from './backup/come-up.ts'
import { readRestored } from './backup/restored.ts'
import { createCatalogWatch } from './catalog-watch.ts'
import { openTriggerSources } from './open-trigger-sources.ts'
import type { Parts } from './parts.ts'
import { createScheduleSource } from '../triggers/schedules.ts'
import type { Source } from '../triggers/source.ts'

// sources.ts: what begins runs by itself. Each source lives beside the API, after the worker and before it when the engine stops.

export interface Sources {
  close(): Promise<void>
}

export interface SourcesOptions {
  readonly parts: Parts
  readonly config: Config
  readonly log: Log
  /** This process has the data directory for itself. */
  readonly ownsDataDir: boolean
}

/** Starts the sources; they follow the SOP directory. */
export const startSources = async ({ parts, config, log, ownsDataDir }: SourcesOptions): Promise<Sources> => {
  const watch = createCatalogWatch({ catalog: parts.catalog, sopDir: config.sopDir, workdir: config.workdir, log })
  const triggers = openTriggerSources({ parts, config, log, watch, ownsDataDir })
  const schedules = createScheduleSource({
    watch,
    ...parts.schedules,
    log,
    now: () => Date.now(),
    missed: {
      deliveries: parts.stores.deliveries,
      newId: createDeliveryIds(),
      now: () => Date.now(),
    },
  })
  parts.schedules.report.pausedByUs = () => schedules.pausedByUs()
  parts.watchHealth((): Health['checks'] => {
    const health = schedules.health()
    return health === undefined ? {} : { schedules: health }
  })
  const sources: readonly Source[] = [schedules, ...(triggers === undefined ? [] : [triggers])]
  schedules.start()
  const held = await holdTriggers({ parts, config, log }, () => triggers?.start())
  await watch.start()
  return closing(held, watch, sources)
}

type Closable = Pick<Source, 'close'>

/** The watch goes first: nothing tells the sources any more what is in the SOP directory. */
const closing = (held: { close(): void }, watch: Closable, sources: readonly Closable[]): Sources => ({
  close: async () => {
    held.close()
    await watch.close()
    await Promise.all(sources.map((source) => source.close()))
  },
})

/**
 * What happened outside since the backup that this engine came up from may have begun its runs already: until a person has
 * confirmed, nothing is taken from there.
 */
const holdTriggers = async (
  { parts, config, log }: Pick<SourcesOptions, 'parts' | 'config' | 'log'>,
  start: () => void,
): Promise<{ close(): void }> => {
  const restored = await readRestored(config.dataDir)
  if (restored === undefined || restored.confirmedAt !== undefined) {
    start()
    return { close: () => {} }
  }
  const waiting = whenConfirmed(config.dataDir)
  void waiting.confirmed.then(async () => {
    const schedules = await releaseSchedules(parts).catch(() => 0)
    log.info('The restore is confirmed: triggers are taken again', { schedules })
    start()
  })
  return waiting
}

/** The sources of a worker that owns the data directory, while the API and what lives beside it are another process. */
export const startWorkerSources = async ({
  parts,
  config,
  log,
}: Omit<SourcesOptions, 'ownsDataDir'>): Promise<Sources> => {
  const watch = createCatalogWatch({ catalog: parts.catalog, sopDir: config.sopDir, workdir: config.workdir, log })
  const triggers = openTriggerSources({ parts, config, log, watch, ownsDataDir: true })
  const held = await holdTriggers({ parts, config, log }, () => triggers?.start())
  await watch.start()
  return closing(held, watch, triggers === undefined ? [] : [triggers])
}
