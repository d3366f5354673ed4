import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import { createCatalogWatch } from './catalog-watch.ts'
import type { Parts } from './parts.ts'
import { createScheduleSource } from './sources/schedules.ts'

// sources.ts: what begins runs by itself. Each source lives beside the API, after the worker and before it when the engine stops.

export interface Source {
  start(): void
  /** Fulfilled when nothing of it is under way any more. */
  close(): Promise<void>
}

export interface Sources {
  close(): Promise<void>
}

export interface SourcesOptions {
  readonly parts: Parts
  readonly config: Config
  readonly log: Log
}

/** Starts the sources; they follow the SOP directory. */
export const startSources = async ({ parts, config, log }: SourcesOptions): Promise<Sources> => {
  const watch = createCatalogWatch({ catalog: parts.catalog, sopDir: config.sopDir, workdir: config.workdir, log })
  const sources: readonly Source[] = [createScheduleSource({ watch, ...parts.schedules, log, now: () => Date.now() })]
  for (const source of sources) source.start()
  await watch.start()
  return {
    close: async () => {
      await watch.close()
      await Promise.all(sources.map((source) => source.close()))
    },
  }
}
