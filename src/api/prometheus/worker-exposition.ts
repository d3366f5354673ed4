import { Registry } from 'prom-client'
import type { Meters } from '../../core/metrics/meters.ts'
import type { Exposition } from './exposition.ts'
import { addSamples } from './families.ts'
import { addBuild, addMeters, processRegistry } from './process-families.ts'

// worker-exposition.ts: what `sop worker` tells Prometheus of its own doing. What is known of runs an API tells, of all.

/** How it goes with the writes of a store. */
interface Writes {
  readonly downSince?: string
  readonly waiting: number
}
export interface WorkerExpositionDeps {
  readonly meters: Meters
  readonly recordState: () => Writes
  readonly logState: () => Writes
  readonly version: string
}

export const createWorkerExposition = ({
  meters,
  recordState,
  logState,
  version,
}: WorkerExpositionDeps): Exposition => {
  const ofProcess = processRegistry()
  return {
    contentType: ofProcess.contentType,
    render: async () => {
      const registry = new Registry()
      addMeters(registry, meters.view())
      const stores = [
        ['records', recordState()],
        ['logs', logState()],
      ] as const
      addSamples(
        registry,
        'gauge',
        { name: 'sop_store_up', help: '1: this process can write the store; 0: it cannot', labels: ['store'] },
        stores.map(([store, { downSince }]) => ({ labels: { store }, value: downSince === undefined ? 1 : 0 })),
      )
      addSamples(
        registry,
        'gauge',
        {
          name: 'sop_store_waiting',
          help: 'What waits at this process for the store: events of records, bytes of logs',
          labels: ['store'],
        },
        stores.map(([store, { waiting }]) => ({ labels: { store }, value: waiting })),
      )
      addBuild(registry, version)
      return Registry.merge([registry, ofProcess]).metrics()
    },
  }
}
