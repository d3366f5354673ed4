import { hostname } from 'node:os'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import { createLeader, OWNER } from './leader.ts'
import type { Parts } from './parts.ts'
import { createSendSpans, otlpHeaders, tracesEndpoint } from './send-spans.ts'
import { createTraceExporter, type TraceExporter } from './trace-exporter.ts'

export interface TracesOptions {
  readonly parts: Pick<Parts, 'stores' | 'watchHealth'>
  readonly config: Pick<Config, 'otel'>
  readonly log: Log
  readonly version: string
}

/** Tells traces for as long as this process is the one that may, where the configuration names a collector. */
export const startTraces = (options: TracesOptions): { close(): Promise<void> } | undefined => {
  const { parts, config, log, version } = options
  const url = tracesEndpoint(config.otel)
  const { traceCursors: open, traceLock } = parts.stores
  if (url === undefined || open === undefined) return undefined
  const send = createSendSpans(url, {
    headers: otlpHeaders(config.otel.headers),
    resource: {
      version,
      attributes: { 'service.name': config.otel.serviceName, 'service.version': version, 'host.name': hostname() },
    },
  })
  let exporter: TraceExporter | undefined
  parts.watchHealth(() => (exporter === undefined ? {} : { traces: exporter.health() }))
  return createLeader({
    lock: traceLock ?? OWNER,
    log,
    what: 'traces',
    lead: async () => {
      const { index, audit } = parts.stores
      const mine = createTraceExporter({ index, audit, cursors: await open(), send, log })
      exporter = mine
      mine.start()
      return async () => {
        exporter = undefined
        await mine.close()
      }
    },
  })
}
