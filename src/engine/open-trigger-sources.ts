import { sha256Hex } from '../core/canonical.ts'
import { readRun } from '../client/find-run.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import type { CatalogWatch } from './catalog-watch.ts'
import { OWNER } from './leader.ts'
import type { Parts } from './parts.ts'
import { createFileWatch } from '../triggers/file-watch.ts'
import { createSopEnd } from '../triggers/sop-end.ts'
import type { TriggerSource } from '../triggers/source.ts'
import { createUnconfigured } from '../triggers/unconfigured.ts'
import { createTriggerSources, type TriggerSources } from './trigger-sources.ts'

export interface OpenTriggerSourcesOptions {
  readonly parts: Parts
  readonly config: Config
  readonly log: Log
  readonly watch: Pick<CatalogWatch, 'onChange'>
  /** This process has the data directory for itself. */
  readonly ownsDataDir: boolean
}

/** The sources that one process of an installation runs; undefined where this one never may. */
export const openTriggerSources = (options: OpenTriggerSourcesOptions): TriggerSources | undefined => {
  const { parts, log, watch, ownsDataDir } = options
  const lock = parts.stores.leaderLock ?? (ownsDataDir ? OWNER : undefined)
  if (lock === undefined) return undefined
  const sources = createTriggerSources({
    onChange: (listener) => watch.onChange(listener),
    lock,
    open: () => openAll(options),
    log,
  })
  parts.watchHealth(() => sources.health())
  return sources
}

const openAll = async ({
  parts,
  config,
  log,
}: OpenTriggerSourcesOptions): Promise<Readonly<Record<string, TriggerSource>>> => {
  const { triggers: door, stores, temporal } = parts
  // Names the installation to brokers that several share.
  const own = `sop-${sha256Hex(parts.key.authority).slice(0, 12)}`
  return {
    file_watch: await createFileWatch({ door, log, dataDir: config.dataDir, workdir: config.workdir }),
    sop: createSopEnd({
      door,
      log,
      index: stores.index,
      state: stores.state,
      readRun: (runId) => readRun({ temporal, records: stores }, runId),
    }),
    mqtt: await openMqtt({ parts, config, log }, own),
    amqp: await openAmqp({ parts, config, log }, own),
  }
}

type BrokerOptions = Pick<OpenTriggerSourcesOptions, 'parts' | 'config' | 'log'>

/** The clients are loaded by those who need them. */
const openMqtt = async ({ parts, config, log }: BrokerOptions, clientId: string): Promise<TriggerSource> => {
  const { url } = config.mqtt
  if (url === undefined) return createUnconfigured('mqtt', 'SOP_MQTT_URL', log)
  const [{ default: client }, { createMqtt }] = await Promise.all([import('mqtt'), import('../triggers/mqtt.ts')])
  return createMqtt({
    door: parts.triggers,
    log,
    config: config.mqtt,
    clientId,
    state: parts.stores.state,
    connect: (options) => client.connect(url, options),
  })
}

const openAmqp = async ({ parts, config, log }: BrokerOptions, queue: string): Promise<TriggerSource> => {
  const { url } = config.amqp
  if (url === undefined) return createUnconfigured('amqp', 'SOP_AMQP_URL', log)
  const [client, { createAmqp }] = await Promise.all([import('amqplib'), import('../triggers/amqp.ts')])
  return createAmqp({
    door: parts.triggers,
    log,
    config: { ...config.amqp, url },
    queue,
    state: parts.stores.state,
    connect: (address, options) => client.connect(address, options),
  })
}
