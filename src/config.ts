// config.ts: the one door to the configuration. Each `main` reads it once and hands on what others need.

import { join, resolve } from 'node:path'
import type { ExecutionMode, NotificationToggle } from './core/definition.ts'
import { SopError } from './core/errors.ts'
import { contradictions } from './config/contradictions.ts'
import { dataDirSource, environmentSource, overrideSource } from './config/environment-sources.ts'
import {
  type Environment,
  mergeEnvironment,
  processEnvironment,
  type ReadFile,
  readTextFile,
} from './config/environment.ts'
import { Files } from './config/files.ts'
import { jsonSource, tomlSource } from './config/file-sources.ts'
import { type Host, nest, resolveSettings } from './config/resolve.ts'
import { parseConfig } from './config/schema.ts'
import type { ConfigProblem } from './config/source.ts'
import type { FactSource, MaintenanceWindow } from './core/fact-source.ts'
import type { VersioningBehavior } from './config/values.ts'

/** Where a broker of messages is. Files are PEM. */
export interface BrokerConfig {
  /** With the login, where it has one; never printed. */
  readonly url?: string
  /** Who signed the broker's certificate. Absent: those that Node knows. */
  readonly caFile?: string
  /** What the engine shows of itself. */
  readonly certFile?: string
  readonly keyFile?: string
}

/** The whole configuration, every default filled in. Paths are absolute. */
export interface Config {
  readonly dataDir: string
  /** What a worker of a pool keeps; it has no data directory. */
  readonly workerDir: string
  readonly sopDir: string
  /** Where records, logs and tokens are: files of the data directory, or a database that several processes share. */
  readonly store: 'file' | 'postgres'
  /** `postgresql://user@host:5432/database`, set where `store` is `postgres`. Never printed. */
  readonly databaseUrl?: string
  /** Goes into the URL as it is. Never printed. */
  readonly databasePassword?: string
  /** The broker of mqtt triggers; none is used without a `url`. */
  readonly mqtt: BrokerConfig & {
    /** Names this installation's session at the broker. Absent: made from its key. */
    readonly clientId?: string
    /** How long the broker keeps messages for an engine that is away (MQTT 5). */
    readonly sessionExpiryMs: number
    readonly username?: string
    /** Never printed. */
    readonly password?: string
  }
  /** The broker of amqp triggers; none is used without a `url`. */
  readonly amqp: BrokerConfig & {
    readonly exchange: string
    /** Absent: made from the installation's key. */
    readonly queue?: string
    /** Messages that are under way at once. */
    readonly prefetch: number
  }
  /** Where steps run (`cwd`) unless they say otherwise. */
  readonly workdir: string
  readonly api: { readonly host: string; readonly port: number; readonly publicUrl?: string }
  /** Where CLI and tools find the engine; absent: the local one of `dataDir`. */
  readonly url?: string
  readonly token?: string
  readonly temporal: {
    /** Set: an existing server is used and none is started. */
    readonly address?: string
    readonly namespace: string
    /** Port of the embedded server; 0 picks a free one. */
    readonly port: number
    readonly ui: boolean
    /** Port of the embedded UI; 0 picks a free one. */
    readonly uiPort: number
    readonly cliPath?: string
    readonly taskQueue: string
    readonly retentionDays: number
  }
  readonly defaultExecutionMode: ExecutionMode
  readonly priorityBasedStrict: boolean
  /** Default for gates that set none; absent: such gates wait for ever. */
  readonly approvalTimeoutMs?: number
  readonly defaultStepTimeoutMs: number
  /** How long a step may wait for a worker of its pool; absent: for ever. */
  readonly poolWaitTimeoutMs?: number
  /** After this long it is told that the pool has no worker. */
  readonly poolNoticeMs: number
  readonly maxConcurrentRuns?: number
  /** Events that a run may have that cannot be put on record, before it begins nothing new. */
  readonly storeDownEvents: number
  /** Age of the oldest of them. */
  readonly storeDownAgeMs: number
  /** Output of steps that is kept beside a log store that is down, before steps wait for it; absent: any amount. */
  readonly storeDownLogBytes?: number
  /** 0: records of closed runs are kept for ever. */
  readonly auditRetentionDays: number
  /** Logs of runs that ended longer ago are removed. */
  readonly logRetentionDays: number
  /** Records of what triggers did are removed after these. */
  readonly deliveryRetentionDays: number
  /** `redact`: what a trigger brought is not kept in that record. */
  readonly deliveryPayload: 'keep' | 'redact'
  /** Where the log of one step stops growing; absent: nowhere. */
  readonly logLimitPerStepBytes?: number
  /** All logs together; absent: no limit. */
  readonly logLimitTotalBytes?: number
  /** The health warns where the disk of the data directory has less space left; absent: never. */
  readonly diskLowBytes?: number
  /** What monitoring reads. */
  readonly metrics: {
    /** Opens `/metrics` and nothing else. Never printed. */
    readonly token?: string
    /** Whoever asks for `/metrics` from this machine, and not through a proxy, needs no credential. */
    readonly openOnLoopback: boolean
    /** SOPs that get series of their own; the others share the label `other`. */
    readonly maxSops: number
    /** Where this process serves the metrics of Temporal's SDK; absent: nowhere. */
    readonly temporalAddress?: string
    /** Where a worker without an API tells what it does itself; absent: nowhere. */
    readonly workerAddress?: string
  }
  /** Traces; none are told without an endpoint. */
  readonly otel: {
    /** Where the collector is; `/v1/traces` is added. */
    readonly endpoint?: string
    /** The whole address, instead of that. */
    readonly tracesEndpoint?: string
    /** `name=value,name=value`, percent-encoded. Never printed. */
    readonly headers?: string
    readonly serviceName: string
  }
  readonly notifications: Readonly<Record<NotificationToggle, boolean>> & {
    readonly enabled: boolean
    readonly approvalChannel?: string
  }
  /** IANA zone; default the host's at engine start. */
  readonly timezone: string
  readonly maintenanceWindows: readonly MaintenanceWindow[]
  readonly onCall?: FactSource
  readonly facts: Readonly<Record<string, FactSource>>
  /** Environment names that conditions may read as `env.NAME`. */
  readonly envInConditions: readonly string[]
  readonly envPassthrough: readonly string[]
  /** Secret name → file that holds it; without an entry the worker's environment is asked. */
  readonly secretFiles: Readonly<Record<string, string>>
  readonly allowImpliedGate: boolean
  readonly agentsMayApprove: boolean
  readonly agentsMayCreate: boolean
  readonly maxStepVisits: number
  readonly killGraceMs: number
  readonly shutdownGraceMs: number
  readonly maxCachedWorkflows: number
  /** Set by deployment and build id together: Temporal then keeps runs and builds of the worker apart. */
  readonly workerVersioning: {
    readonly deployment?: string
    readonly buildId?: string
    readonly behavior: VersioningBehavior
  }
  /** Flat files of seed 004, where their folders are set. */
  readonly stateDir?: string
  readonly auditDir?: string
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

/** Where `readConfig` looks. What is left out is the real thing. */
export interface ConfigSources {
  readonly env?: Environment
  readonly cwd?: string
  readonly readFile?: ReadFile
  /** Flags of a command by setting, e.g. `{ 'api.port': '0', dataDir: 'x' }`: they win over everything. */
  readonly overrides?: Readonly<Partial<Record<ConfigKey, unknown>>>
}

/** Keys of single settings, with dots: `api.port`. */
export type ConfigKey = KeysOf<Config>
type KeysOf<T> = {
  [K in keyof T & string]: NonNullable<T[K]> extends Nested ? `${K}.${keyof NonNullable<T[K]> & string}` : K
}[keyof T & string]
type Nested = Config['api'] | Config['temporal'] | Config['notifications'] | Config['mqtt'] | Config['amqp']

export interface ReadConfig {
  /** Complete even when there are errors: what could not be read has its default. Do not run with errors (`requireConfig`). */
  readonly config: Config
  /** For every setting, where its value came from: `default`, `sop.config.toml:3`, `env SOP_API_PORT`, `option`. */
  readonly origins: Readonly<Record<string, string>>
  readonly problems: readonly ConfigProblem[]
  /** The environment with `.env` below it: what secrets, facts and Temporal's own settings are read from. */
  readonly environment: Environment
}

/**
 * Reads the configuration from all its sources, the later winning over the earlier: defaults, `config.json` in the SOP
 * directory (seed 002), `sop.config.toml` of the working directory (or the file that `SOP_CONFIG` names), `.env`, the
 * environment, and `overrides`. Never throws for what people wrote: all problems come at once.
 */
export function readConfig(sources: ConfigSources = {}): ReadConfig {
  const { env = processEnvironment(), cwd = process.cwd(), readFile = readTextFile, overrides = {} } = sources
  const files = new Files(cwd, readFile)
  const merged =
    files.attempt(join(cwd, '.env'), () => mergeEnvironment(env, cwd, readFile)) ??
    mergeEnvironment(env, cwd, () => undefined)
  const host: Host = { cwd, home: merged.values['HOME'], timezone: hostTimezone() }
  const chosen = merged.values['SOP_CONFIG']
  const toml = files.source(resolve(cwd, chosen ?? 'sop.config.toml'), tomlSource, chosen !== undefined)
  const stronger = [toml, dataDirSource(merged, cwd), environmentSource(merged, cwd), overrideSource(overrides, cwd)]
  const candidates = stronger.flatMap((source) => source.candidates)
  const sopDir = String(resolveSettings(candidates, host).values.get('sopDir'))
  const json = files.source(join(sopDir, 'config.json'), jsonSource)
  const resolved = resolveSettings([...json.candidates, ...candidates], host)
  const config = parseConfig(nest(resolved.values))
  const read = [json, ...stronger].flatMap((source) => source.problems)
  const problems = [...files.problems, ...read, ...resolved.problems, ...contradictions(config)]
  return { config: deepFreeze(config), origins: resolved.origins, problems, environment: merged.values }
}

/** The configuration, or one `invalid` that lists every error. Warnings pass; show them. */
export function requireConfig(sources: ConfigSources = {}): ReadConfig {
  const read = readConfig(sources)
  const errors = read.problems.filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return read
  const message = errors.map(renderConfigProblem).join('\n')
  throw new SopError('invalid', message, { problems: errors })
}

/** The problem as people read it: the sentence, and the way out below it. */
export const renderConfigProblem = ({ message, help }: ConfigProblem): string =>
  help === undefined ? message : `${message}\n  ${help}`

const hostTimezone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFreeze(part)
  }
  return value
}
