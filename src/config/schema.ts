import { z } from 'zod'
import { EXECUTION_MODES } from '../core/definition.ts'
import type { Config } from '../config.ts'
import {
  duration,
  flag,
  list,
  mode,
  nullable,
  size,
  text,
  timezone,
  url,
  whole,
  VERSIONING_BEHAVIORS,
} from './values.ts'

/** What is known about one setting besides its values. */
export interface SettingInfo {
  /** The environment variable that sets it. */
  readonly env?: string
  /** Completes "expected …". */
  readonly expected: string
  /** The value as one would write it; absent: the setting is optional, or the reader works its default out. */
  readonly default?: unknown
  /** A path, made absolute from the folder of the source that names it. */
  readonly path?: true
  /** A table of names to paths. */
  readonly pathTable?: true
  /** Takes `_secs`, `_mins` and `_ms` after its key. */
  readonly duration?: true
  /** An amount of bytes: its key in files does not say so. */
  readonly size?: true
  /** Never printed. */
  readonly secret?: true
  /** A key that seed 002's `config.json` may hold. */
  readonly json?: true
}

/** What each leaf of the schema means: the one list of settings, walked by the reader, `sop config` and the tests. */
export const settingInfo = z.registry<SettingInfo>()

function setting<T extends z.ZodType>(schema: T, info: SettingInfo): T {
  settingInfo.add(schema, info)
  return schema
}
const optional = <T extends z.ZodType>(schema: T, info: SettingInfo): z.ZodExactOptional<T> =>
  setting(z.exactOptional(schema), info)

const port = (env: string, standard: number) =>
  setting(whole(0, 65_535), { env, expected: 'a port from 0 (picks a free one) to 65535', default: standard })
const path = (env: string, standard: string) =>
  setting(text(), { env, expected: 'a path', default: standard, path: true })
const optionalPath = (env: string) => optional(text(), { env, expected: 'a path', path: true })
const yesNo = (env: string, standard: boolean) => setting(flag(), { env, expected: 'true or false', default: standard })
const toggle = (standard: boolean) => setting(flag(), { expected: 'true or false', default: standard, json: true })
const time = (env: string, standard: string) =>
  setting(duration(), { env, expected: 'a duration such as 90, "90s" or "1h30m"', default: standard, duration: true })
const days = (env: string, least: number, standard: number, json?: true) =>
  setting(whole(least, 36_500), {
    env,
    expected: `a whole number of days, at least ${least}`,
    default: standard,
    ...(json === undefined ? {} : { json }),
  })
const bytes = (env: string, standard: string) =>
  setting(nullable(size()), {
    env,
    expected: 'an amount such as "512MiB" or "2GB", or "none"',
    default: standard,
    size: true,
  })
const names = (env: string) =>
  setting(list(), { env, expected: 'a list of names, e.g. ["HOME", "KUBECONFIG"]', default: [] })

/** Its URL may hold a password. */
const broker = (env: string, pattern: RegExp, expected: string) =>
  optional(text().regex(pattern), { env, expected, secret: true })
const pemFiles = (prefix: string) => ({
  caFile: optionalPath(`${prefix}_CA_FILE`),
  certFile: optionalPath(`${prefix}_CERT_FILE`),
  keyFile: optionalPath(`${prefix}_KEY_FILE`),
})

const factSource = z.union([
  z.strictObject({ command: text() }),
  z.strictObject({ url: url() }),
  z.strictObject({ env: text() }),
])
const FACT = '{ command = "…" }, { url = "https://…" } or { env = "NAME" }'

const maintenanceWindow = z
  .strictObject({
    cron: text().refine((cron) => cron.split(/\s+/).length === 5, 'expected five cron fields'),
    duration: duration(),
    timezone: z.exactOptional(timezone()),
  })
  .transform(({ duration: durationMs, ...rest }) => ({ ...rest, durationMs }))

/** The whole configuration. Input: values as they are written; output: `Config`. */
export const configSchema = z.object({
  dataDir: path('SOP_DATA_DIR', '.sop'),
  workerDir: path('SOP_WORKER_DIR', '.sop-worker'),
  sopDir: path('SOP_DIR', 'sops'),
  workdir: path('SOP_WORKDIR', '.'),
  store: optional(z.enum(['file', 'postgres']), { env: 'SOP_STORE', expected: 'file or postgres' }),
  databaseUrl: optional(text().regex(/^postgres(ql)?:\/\//), {
    env: 'SOP_DATABASE_URL',
    expected: 'postgresql://user@host:5432/database',
    secret: true,
  }),
  databasePassword: optional(text(), { env: 'SOP_DATABASE_PASSWORD', expected: 'a password', secret: true }),
  api: z.object({
    host: setting(text(), { env: 'SOP_API_HOST', expected: 'a host name or address', default: '127.0.0.1' }),
    port: port('SOP_API_PORT', 7780),
    publicUrl: optional(url(), { env: 'SOP_PUBLIC_URL', expected: 'an http(s) address' }),
  }),
  url: optional(url(), { env: 'SOP_URL', expected: 'an http(s) address' }),
  token: optional(text(), { env: 'SOP_TOKEN', expected: 'a token', secret: true }),
  temporal: z.object({
    address: optional(text().regex(/^[^\s/:]+:\d{1,5}$|^\[[^\]]+\]:\d{1,5}$/), {
      env: 'TEMPORAL_ADDRESS',
      expected: 'host:port, e.g. 127.0.0.1:7233',
    }),
    namespace: setting(text(), { env: 'TEMPORAL_NAMESPACE', expected: 'a name', default: 'default' }),
    port: port('SOP_TEMPORAL_PORT', 7233),
    ui: yesNo('SOP_TEMPORAL_UI', true),
    uiPort: port('SOP_TEMPORAL_UI_PORT', 8233),
    cliPath: optionalPath('TEMPORAL_CLI_PATH'),
    taskQueue: setting(text(), { env: 'SOP_TASK_QUEUE', expected: 'a name', default: 'sop' }),
    // Seven: the conflict error that makes a second delivery find the first run needs the closed run (engine.md 2).
    retentionDays: days('SOP_TEMPORAL_RETENTION_DAYS', 7, 30),
  }),
  mqtt: z.object({
    url: broker('SOP_MQTT_URL', /^(mqtts?|wss?):\/\/./, 'mqtt://host:1883 or mqtts://host:8883'),
    ...pemFiles('SOP_MQTT'),
    clientId: optional(text().regex(/^\S{1,200}$/), { env: 'SOP_MQTT_CLIENT_ID', expected: 'a name without spaces' }),
    username: optional(text(), { env: 'SOP_MQTT_USERNAME', expected: 'a name' }),
    sessionExpiryMs: time('SOP_MQTT_SESSION_EXPIRY', '7d'),
    password: optional(text(), { env: 'SOP_MQTT_PASSWORD', expected: 'a password', secret: true }),
  }),
  amqp: z.object({
    url: broker('SOP_AMQP_URL', /^amqps?:\/\/./, 'amqp://user:password@host:5672/vhost or amqps://…'),
    ...pemFiles('SOP_AMQP'),
    exchange: setting(text().regex(/^\S{1,200}$/), {
      env: 'SOP_AMQP_EXCHANGE',
      expected: 'a name without spaces',
      default: 'sop',
    }),
    queue: optional(text().regex(/^\S{1,200}$/), { env: 'SOP_AMQP_QUEUE', expected: 'a name without spaces' }),
    prefetch: setting(whole(1, 1_000), {
      env: 'SOP_AMQP_PREFETCH',
      expected: 'a whole number from 1 to 1000',
      default: 16,
    }),
  }),
  defaultExecutionMode: setting(mode(), {
    env: 'SOP_DEFAULT_EXECUTION_MODE',
    expected: `one of ${EXECUTION_MODES.join(', ')}`,
    default: 'supervised',
    json: true,
  }),
  priorityBasedStrict: yesNo('SOP_PRIORITY_BASED_STRICT', false),
  approvalTimeoutMs: optional(nullable(duration()), {
    env: 'SOP_APPROVAL_TIMEOUT',
    expected: 'a duration such as 90, "90s" or "1h30m", or "none"',
    duration: true,
    json: true,
  }),
  defaultStepTimeoutMs: time('SOP_DEFAULT_STEP_TIMEOUT', '1h'),
  poolWaitTimeoutMs: setting(nullable(duration()), {
    env: 'SOP_POOL_WAIT_TIMEOUT',
    expected: 'a duration such as 90, "90s" or "1h30m", or "none"',
    default: '1h',
    duration: true,
  }),
  poolNoticeMs: time('SOP_POOL_NOTICE', '10s'),
  maxConcurrentRuns: optional(nullable(whole(1, 1_000_000)), {
    env: 'SOP_MAX_CONCURRENT_RUNS',
    expected: 'a whole number from 1, or "none"',
    json: true,
  }),
  storeDownEvents: setting(whole(1, 10_000), {
    env: 'SOP_STORE_DOWN_EVENTS',
    expected: 'a whole number from 1 to 10000',
    default: 500,
  }),
  storeDownAgeMs: time('SOP_STORE_DOWN_AGE', '1h'),
  storeDownLogBytes: bytes('SOP_STORE_DOWN_LOG', '256MiB'),
  auditRetentionDays: days('SOP_AUDIT_RETENTION_DAYS', 0, 90, true),
  logRetentionDays: days('SOP_LOG_RETENTION_DAYS', 1, 90),
  deliveryRetentionDays: days('SOP_DELIVERY_RETENTION_DAYS', 1, 30),
  deliveryPayload: setting(z.enum(['keep', 'redact']), {
    env: 'SOP_DELIVERY_PAYLOAD',
    expected: 'keep or redact',
    default: 'keep',
  }),
  logLimitPerStepBytes: bytes('SOP_LOG_LIMIT_PER_STEP', '2GiB'),
  logLimitTotalBytes: bytes('SOP_LOG_LIMIT_TOTAL', '20GiB'),
  diskLowBytes: bytes('SOP_DISK_LOW', '1GiB'),
  metrics: z.object({
    token: optional(text().min(16), { env: 'SOP_METRICS_TOKEN', expected: 'at least 16 characters', secret: true }),
    openOnLoopback: yesNo('SOP_METRICS_OPEN_ON_LOOPBACK', false),
    maxSops: setting(whole(1, 1_000), {
      env: 'SOP_METRICS_MAX_SOPS',
      expected: 'a whole number from 1 to 1000',
      default: 50,
    }),
    temporalAddress: optional(text().regex(/^(\[[\da-f:]+\]|[^\s:]+):\d{1,5}$/), {
      env: 'SOP_METRICS_TEMPORAL_ADDRESS',
      expected: 'an address and a port, e.g. 127.0.0.1:9464',
    }),
    workerAddress: optional(text().regex(/^(\[[\da-f:]+\]|[^\s:]+):\d{1,5}$/), {
      env: 'SOP_METRICS_WORKER_ADDRESS',
      expected: 'an address and a port, e.g. 127.0.0.1:9465',
    }),
  }),
  // The names of the variables are OpenTelemetry's own.
  otel: z.object({
    endpoint: optional(url(), { env: 'OTEL_EXPORTER_OTLP_ENDPOINT', expected: 'an http(s) address' }),
    tracesEndpoint: optional(url(), { env: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', expected: 'an http(s) address' }),
    headers: optional(text(), { env: 'OTEL_EXPORTER_OTLP_HEADERS', expected: 'name=value,name=value', secret: true }),
    serviceName: setting(text(), { env: 'OTEL_SERVICE_NAME', expected: 'a name', default: 'sop-engine' }),
  }),
  notifications: z.object({
    enabled: yesNo('SOP_NOTIFICATION_ENABLED', true),
    approvalChannel: optional(text(), {
      env: 'SOP_APPROVAL_CHANNEL',
      expected: 'a channel, e.g. slack:#ops or telegram:@ops',
    }),
    onApprovalRequired: toggle(true),
    onStepCompleted: toggle(false),
    onRunCompleted: toggle(true),
    onRunFailed: toggle(true),
  }),
  timezone: setting(timezone(), { env: 'SOP_TIMEZONE', expected: 'an IANA time zone, e.g. Europe/Berlin' }),
  maintenanceWindows: setting(z.array(maintenanceWindow), {
    expected: 'tables with cron and duration, e.g. [[maintenance_windows]] cron = "0 2 * * 6", duration = "4h"',
    default: [],
  }),
  onCall: optional(factSource, { expected: FACT }),
  facts: setting(z.record(z.string().regex(/^[A-Za-z_]\w*$/), factSource), {
    expected: `a table of names, each with ${FACT}`,
    default: {},
  }),
  envInConditions: names('SOP_ENV_IN_CONDITIONS'),
  envPassthrough: names('SOP_ENV_PASSTHROUGH'),
  secretFiles: setting(z.record(text(), text()), {
    expected: 'a table of secret names to files',
    default: {},
    pathTable: true,
  }),
  allowImpliedGate: yesNo('SOP_ALLOW_IMPLIED_GATE', true),
  agentsMayApprove: yesNo('SOP_AGENTS_MAY_APPROVE', false),
  agentsMayCreate: yesNo('SOP_AGENTS_MAY_CREATE', false),
  maxStepVisits: setting(whole(1, 10_000), {
    env: 'SOP_MAX_STEP_VISITS',
    expected: 'a whole number from 1 to 10000',
    default: 100,
  }),
  killGraceMs: time('SOP_KILL_GRACE', '10s'),
  shutdownGraceMs: time('SOP_SHUTDOWN_GRACE', '30s'),
  maxCachedWorkflows: setting(whole(10, 100_000), {
    env: 'SOP_MAX_CACHED_WORKFLOWS',
    expected: 'a whole number from 10',
    default: 200,
  }),
  workerVersioning: z.object({
    deployment: optional(text().regex(/^[^.]{1,200}$/), {
      env: 'SOP_WORKER_DEPLOYMENT',
      expected: 'a name without dots',
    }),
    buildId: optional(text().regex(/^\S{1,200}$/), { env: 'SOP_WORKER_BUILD_ID', expected: 'a name without spaces' }),
    behavior: setting(z.enum(VERSIONING_BEHAVIORS), {
      env: 'SOP_WORKER_VERSIONING_BEHAVIOR',
      expected: `one of ${VERSIONING_BEHAVIORS.join(', ')}`,
      default: 'pinned',
    }),
  }),
  stateDir: optionalPath('STATE_DIR'),
  auditDir: optionalPath('AUDIT_DIR'),
  logLevel: setting(z.enum(['debug', 'info', 'warn', 'error']), {
    env: 'SOP_LOG_LEVEL',
    expected: 'debug, info, warn or error',
    default: 'info',
  }),
})

/** Compile-time proof that the schema gives what `Config` promises. */
export const parseConfig = (input: unknown): Config => withoutNone(configSchema.parse(input))

function withoutNone(parsed: z.output<typeof configSchema>): Config {
  const {
    approvalTimeoutMs,
    maxConcurrentRuns,
    logLimitPerStepBytes,
    logLimitTotalBytes,
    diskLowBytes,
    storeDownLogBytes,
    poolWaitTimeoutMs,
    ...config
  } = parsed
  return {
    ...config,
    store: config.store ?? (config.databaseUrl === undefined ? 'file' : 'postgres'),
    ...(logLimitPerStepBytes === null ? {} : { logLimitPerStepBytes }),
    ...(logLimitTotalBytes === null ? {} : { logLimitTotalBytes }),
    ...(storeDownLogBytes === null ? {} : { storeDownLogBytes }),
    ...(diskLowBytes === null ? {} : { diskLowBytes }),
    ...(approvalTimeoutMs == null ? {} : { approvalTimeoutMs }),
    ...(maxConcurrentRuns == null ? {} : { maxConcurrentRuns }),
    ...(poolWaitTimeoutMs == null ? {} : { poolWaitTimeoutMs }),
  }
}
