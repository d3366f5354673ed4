import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type ConfigSources, readConfig, renderConfigProblem, requireConfig } from '../src/config.ts'
import { describeConfig } from '../src/config/describe.ts'
import { CONFIG_VARIABLES, SETTINGS } from '../src/config/settings.ts'
import { SopError } from '../src/core/errors.ts'

const cwd = '/srv/here'

/** Reads a configuration from files and variables that exist only in the test. */
function read(
  files: Readonly<Record<string, string>> = {},
  env: ConfigSources['env'] = {},
  overrides: ConfigSources['overrides'] = {},
) {
  const byPath = new Map(Object.entries(files).map(([path, text]) => [resolve(cwd, path), text]))
  return readConfig({ env, cwd, overrides, readFile: (path) => byPath.get(path) })
}
const toml = (text: string, env: ConfigSources['env'] = {}) => read({ 'sop.config.toml': text }, env)
const messages = (result: { problems: readonly Parameters<typeof renderConfigProblem>[0][] }) =>
  result.problems.map(renderConfigProblem)

test('without any source every setting has its default', () => {
  const { config, origins, problems } = read()
  expect(problems).toEqual([])
  expect(config).toMatchObject({
    dataDir: '/srv/here/.sop',
    sopDir: '/srv/here/sops',
    workdir: cwd,
    api: { host: '127.0.0.1', port: 7780 },
    temporal: { namespace: 'default', port: 7233, ui: true, taskQueue: 'sop', retentionDays: 30 },
    defaultExecutionMode: 'supervised',
    defaultStepTimeoutMs: 3_600_000,
    auditRetentionDays: 90,
    logRetentionDays: 90,
    deliveryRetentionDays: 30,
    deliveryPayload: 'keep',
    mqtt: { sessionExpiryMs: 604_800_000 },
    amqp: { exchange: 'sop', prefetch: 16 },
    logLimitPerStepBytes: 2 * 1024 ** 3,
    logLimitTotalBytes: 20 * 1024 ** 3,
    notifications: {
      enabled: true,
      onApprovalRequired: true,
      onStepCompleted: false,
      onRunCompleted: true,
      onRunFailed: true,
    },
    agentsMayApprove: false,
    agentsMayCreate: false,
    logLevel: 'info',
  })
  for (const absent of ['url', 'token', 'approvalTimeoutMs', 'maxConcurrentRuns', 'stateDir', 'auditDir'])
    expect(config).not.toHaveProperty(absent)
  expect(new Set(Object.values(origins))).toEqual(new Set(['default']))
})

test('a stronger source wins: config.json, TOML, .env, environment, option', () => {
  const files: Record<string, string> = { 'sops/config.json': '{ "auditRetentionDays": 1 }' }
  const days = (env = {}, overrides = {}) => {
    const { config, origins } = read(files, env, overrides)
    return [config.auditRetentionDays, origins['auditRetentionDays']]
  }
  expect(days()).toEqual([1, 'sops/config.json'])
  files['sop.config.toml'] = '\naudit_retention_days = 2'
  expect(days()).toEqual([2, 'sop.config.toml:2'])
  files['.env'] = 'SOP_AUDIT_RETENTION_DAYS=3'
  expect(days()).toEqual([3, '.env SOP_AUDIT_RETENTION_DAYS'])
  expect(days({ SOP_AUDIT_RETENTION_DAYS: '4' })).toEqual([4, 'env SOP_AUDIT_RETENTION_DAYS'])
  expect(days({ SOP_AUDIT_RETENTION_DAYS: '4' }, { auditRetentionDays: '5' })).toEqual([5, 'option'])
  expect(days({ SOP_AUDIT_RETENTION_DAYS: '4' }, { auditRetentionDays: undefined })).toEqual([
    4,
    'env SOP_AUDIT_RETENTION_DAYS',
  ])
})

test("seed 002's config.json is read as the seed writes it", () => {
  const seed = `{ "defaultExecutionMode": "step-by-step", "approvalTimeoutMins": 30, "maxConcurrentRuns": 3, "auditRetentionDays": 90,
    "notifications": { "onApprovalRequired": false, "onStepCompleted": true, "onRunCompleted": false, "onRunFailed": false } }`
  const { config, problems } = read({ 'elsewhere/config.json': seed }, { SOP_DIR: 'elsewhere' })
  expect(problems).toEqual([])
  expect(config).toMatchObject({
    defaultExecutionMode: 'step_by_step',
    approvalTimeoutMs: 1_800_000,
    maxConcurrentRuns: 3,
  })
  expect(config.notifications).toMatchObject({
    onApprovalRequired: false,
    onStepCompleted: true,
    onRunCompleted: false,
    onRunFailed: false,
  })
})

test('config.json in the SOP directory cannot set what reaches further than procedures', () => {
  const result = read({
    'sops/config.json': '{ "envPassthrough": ["AWS_SECRET_ACCESS_KEY"], "agentsMayApprove": true }',
  })
  expect(result.config.envPassthrough).toEqual([])
  expect(result.config.agentsMayApprove).toBe(false)
  expect(result.problems.map(({ severity }) => severity)).toEqual(['warning', 'warning'])
  expect(messages(result)[0]).toContain('Write it into sop.config.toml.')
})

test('every setting can be set in the TOML file', () => {
  const { config, problems, origins } = toml(
    `
data_dir = "data"
worker_dir = "hands"
sop_dir = "/srv/sops"
workdir = "~/work"
store = "postgres"
database_url = "postgresql://sop@db:5432/sop"
database_password = "p@ss"
url = "https://sop.example"
token = "t0ken"
default_execution_mode = "automatic"
priority_based_strict = true
approval_timeout = "1h30m"
default_step_timeout = 90
pool_wait_timeout = "20m"
pool_notice = 3
max_concurrent_runs = 7
audit_retention_days = 400
log_retention_days = 30
delivery_retention_days = 7
delivery_payload = "redact"
log_limit_per_step = "64 MiB"
log_limit_total = "none"
disk_low = "3GiB"
store_down_events = 20
store_down_age = "10m"
store_down_log = "1MiB"
timezone = "Europe/Berlin"
env_in_conditions = ["REGION"]
env_passthrough = ["KUBECONFIG", "AWS_PROFILE"]
allow_implied_gate = false
agents_may_approve = true
agents_may_create = true
max_step_visits = 5
kill_grace_ms = 1500
shutdown_grace_secs = 3
max_cached_workflows = 50
state_dir = "state"
audit_dir = "audit"
log_level = "debug"
[worker_versioning]
deployment = "ops"
build_id = "1.4.0"
behavior = "auto_upgrade"
[api]
host = "0.0.0.0"
port = 0
public_url = "https://sop.example/ops"
[mqtt]
url = "mqtts://broker:8883"
ca_file = "ca.pem"
cert_file = "me.pem"
key_file = "me.key"
client_id = "ops"
session_expiry = "1d"
username = "sop"
password = "p@ss"

[amqp]
url = "amqps://sop@rabbit/ops"
ca_file = "/etc/ca.pem"
cert_file = "/etc/me.pem"
key_file = "/etc/me.key"
exchange = "events"
queue = "sop-ops"
prefetch = 4

[temporal]
address = "temporal:7233"
namespace = "ops"
port = 7000
ui = false
ui_port = 7001
cli_path = "bin/temporal"
task_queue = "q"
retention_days = 60
[otel]
endpoint = "http://collector:4318"
traces_endpoint = "http://collector:4318/v1/traces"
headers = "a=b"
service_name = "ops"

[metrics]
token = "scrape-0123456789"
open_on_loopback = true
max_sops = 9
temporal_address = "[::1]:9464"
worker_address = "[::1]:9465"

[notifications]
enabled = false
approval_channel = "slack:#ops"
on_approval_required = false
on_step_completed = true
on_run_completed = false
on_run_failed = false
[[maintenance_windows]]
cron = "0 2 * * 6"
duration = "4h"
timezone = "UTC"
[on_call]
url = "https://oncall.example/now"
[facts]
disk_usage = { command = "df -h" }
region = { env = "REGION" }
[secret_files]
db_password = "secrets/db"
`,
    { HOME: '/home/me' },
  )
  expect(problems).toEqual([])
  expect(Object.entries(origins).filter(([, origin]) => !/^sop\.config\.toml:\d+$/.test(origin))).toEqual([])
  expect(config).toEqual({
    dataDir: '/srv/here/data',
    workerDir: '/srv/here/hands',
    sopDir: '/srv/sops',
    workdir: '/home/me/work',
    store: 'postgres',
    databaseUrl: 'postgresql://sop@db:5432/sop',
    databasePassword: 'p@ss',
    api: { host: '0.0.0.0', port: 0, publicUrl: 'https://sop.example/ops' },
    url: 'https://sop.example',
    token: 't0ken',
    temporal: {
      address: 'temporal:7233',
      namespace: 'ops',
      port: 7000,
      ui: false,
      uiPort: 7001,
      cliPath: '/srv/here/bin/temporal',
      taskQueue: 'q',
      retentionDays: 60,
    },
    defaultExecutionMode: 'auto',
    priorityBasedStrict: true,
    approvalTimeoutMs: 5_400_000,
    defaultStepTimeoutMs: 90_000,
    poolWaitTimeoutMs: 1_200_000,
    poolNoticeMs: 3000,
    maxConcurrentRuns: 7,
    auditRetentionDays: 400,
    logRetentionDays: 30,
    deliveryRetentionDays: 7,
    deliveryPayload: 'redact',
    logLimitPerStepBytes: 64 * 1024 ** 2,
    diskLowBytes: 3 * 1024 ** 3,
    storeDownEvents: 20,
    storeDownAgeMs: 600_000,
    storeDownLogBytes: 1024 ** 2,
    mqtt: {
      url: 'mqtts://broker:8883',
      caFile: '/srv/here/ca.pem',
      certFile: '/srv/here/me.pem',
      keyFile: '/srv/here/me.key',
      clientId: 'ops',
      sessionExpiryMs: 86_400_000,
      username: 'sop',
      password: 'p@ss',
    },
    amqp: {
      url: 'amqps://sop@rabbit/ops',
      certFile: '/etc/me.pem',
      keyFile: '/etc/me.key',
      caFile: '/etc/ca.pem',
      exchange: 'events',
      queue: 'sop-ops',
      prefetch: 4,
    },
    otel: {
      endpoint: 'http://collector:4318',
      tracesEndpoint: 'http://collector:4318/v1/traces',
      headers: 'a=b',
      serviceName: 'ops',
    },
    metrics: {
      token: 'scrape-0123456789',
      openOnLoopback: true,
      maxSops: 9,
      temporalAddress: '[::1]:9464',
      workerAddress: '[::1]:9465',
    },
    notifications: {
      enabled: false,
      approvalChannel: 'slack:#ops',
      onApprovalRequired: false,
      onStepCompleted: true,
      onRunCompleted: false,
      onRunFailed: false,
    },
    timezone: 'Europe/Berlin',
    maintenanceWindows: [{ cron: '0 2 * * 6', durationMs: 14_400_000, timezone: 'UTC' }],
    onCall: { url: 'https://oncall.example/now' },
    facts: { disk_usage: { command: 'df -h' }, region: { env: 'REGION' } },
    envInConditions: ['REGION'],
    envPassthrough: ['KUBECONFIG', 'AWS_PROFILE'],
    secretFiles: { db_password: '/srv/here/secrets/db' },
    allowImpliedGate: false,
    agentsMayApprove: true,
    agentsMayCreate: true,
    maxStepVisits: 5,
    killGraceMs: 1500,
    shutdownGraceMs: 3000,
    maxCachedWorkflows: 50,
    workerVersioning: { deployment: 'ops', buildId: '1.4.0', behavior: 'auto_upgrade' },
    stateDir: '/srv/here/state',
    auditDir: '/srv/here/audit',
    logLevel: 'debug',
  })
})

test('every variable that is named for a setting sets it', () => {
  const sample: Record<string, string> = {
    SOP_API_PORT: '1',
    SOP_TEMPORAL_PORT: '2',
    SOP_TEMPORAL_UI_PORT: '3',
    SOP_STORE: 'postgres',
    SOP_DATABASE_URL: 'postgres://h/d',
    SOP_MQTT_URL: 'mqtt://h',
    SOP_MQTT_SESSION_EXPIRY: '1h',
    SOP_AMQP_URL: 'amqp://h',
    SOP_AMQP_PREFETCH: '3',
    SOP_URL: 'http://a',
    SOP_PUBLIC_URL: 'https://b',
    TEMPORAL_ADDRESS: 'h:1',
    SOP_TEMPORAL_UI: 'no',
    SOP_TEMPORAL_RETENTION_DAYS: '8',
    SOP_DEFAULT_EXECUTION_MODE: 'auto',
    SOP_PRIORITY_BASED_STRICT: 'yes',
    SOP_APPROVAL_TIMEOUT: '5m',
    SOP_DEFAULT_STEP_TIMEOUT: '6',
    SOP_POOL_WAIT_TIMEOUT: 'none',
    SOP_POOL_NOTICE: '4',
    SOP_MAX_CONCURRENT_RUNS: '9',
    SOP_AUDIT_RETENTION_DAYS: '10',
    SOP_LOG_RETENTION_DAYS: '13',
    SOP_DELIVERY_RETENTION_DAYS: '7',
    SOP_DELIVERY_PAYLOAD: 'redact',
    SOP_LOG_LIMIT_PER_STEP: '14 MB',
    SOP_LOG_LIMIT_TOTAL: 'none',
    SOP_DISK_LOW: '100 MB',
    SOP_STORE_DOWN_EVENTS: '20',
    SOP_STORE_DOWN_AGE: '10m',
    SOP_STORE_DOWN_LOG: 'none',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://h:4318',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://h:4318/x',
    SOP_METRICS_TOKEN: 'x'.repeat(16),
    SOP_METRICS_OPEN_ON_LOOPBACK: 'true',
    SOP_METRICS_MAX_SOPS: '7',
    SOP_METRICS_TEMPORAL_ADDRESS: '127.0.0.1:9464',
    SOP_METRICS_WORKER_ADDRESS: '127.0.0.1:9465',
    SOP_NOTIFICATION_ENABLED: 'false',
    SOP_TIMEZONE: 'Asia/Tokyo',
    SOP_ENV_IN_CONDITIONS: 'A, B',
    SOP_ALLOW_IMPLIED_GATE: '0',
    SOP_AGENTS_MAY_APPROVE: '1',
    SOP_AGENTS_MAY_CREATE: 'on',
    SOP_MAX_STEP_VISITS: '11',
    SOP_KILL_GRACE: '1s',
    SOP_SHUTDOWN_GRACE: '2s',
    SOP_MAX_CACHED_WORKFLOWS: '12',
    SOP_LOG_LEVEL: 'error',
    SOP_WORKER_VERSIONING_BEHAVIOR: 'continue_as_new',
  }
  const env = Object.fromEntries(
    CONFIG_VARIABLES.filter((name) => name !== 'SOP_CONFIG').map((name) => [name, sample[name] ?? `x-${name}`]),
  )
  const { problems, origins } = read({}, env)
  expect(problems).toEqual([])
  for (const { key, info } of SETTINGS)
    expect(origins[key]).toBe(info.env === undefined ? 'default' : `env ${info.env}`)
})

test('a deployment without a build id is refused, and the other way round', () => {
  for (const [set, missing] of [
    ['deployment', 'build_id'],
    ['build_id', 'deployment'],
  ]) {
    const { problems } = toml(`[worker_versioning]\n${set} = "a"`)
    expect(problems.map(({ message }) => message)).toEqual([
      `Cannot version workers: "worker_versioning.${set}" is set, "worker_versioning.${missing}" is not`,
    ])
  }
})

test('an empty variable counts as not set, and the real environment still hides .env', () => {
  expect(read({}, { SOP_API_PORT: '', SOP_URL: '  ' }).config.api.port).toBe(7780)
  expect(read({ '.env': 'SOP_API_PORT=1' }, { SOP_API_PORT: '' }).config.api.port).toBe(7780)
})

test('.env may have a BOM, CRLF, quotes, comments and export', () => {
  const { config } = read({
    '.env': '\uFEFFSOP_API_PORT=1\r\n# note\r\nexport SOP_TASK_QUEUE="a b" # why\r\nSOP_DIR=\'my sops\'\r\n',
  })
  expect(config).toMatchObject({ api: { port: 1 }, temporal: { taskQueue: 'a b' }, sopDir: '/srv/here/my sops' })
})

test('the TOML file may have a BOM and CRLF, and camelCase keys', () => {
  const { config, problems } = toml('\uFEFFdataDir = "d"\r\n\r\n[temporal]\r\nuiPort = 5\r\n')
  expect(problems).toEqual([])
  expect(config).toMatchObject({ dataDir: '/srv/here/d', temporal: { uiPort: 5 } })
})

test('paths of a file start at its folder, paths of variables and options at the working directory', () => {
  const file = { 'conf/sop.toml': 'data_dir = "a"\nsop_dir = "b"\n[secret_files]\nx = "c"' }
  const { config } = read(file, { SOP_CONFIG: 'conf/sop.toml', SOP_DIR: 'e' })
  expect(config).toMatchObject({
    dataDir: '/srv/here/conf/a',
    sopDir: '/srv/here/e',
    secretFiles: { x: '/srv/here/conf/c' },
  })
  expect(read(file, { SOP_CONFIG: 'conf/sop.toml' }, { dataDir: 'f' }).config.dataDir).toBe('/srv/here/f')
})

test('DATA_DIR is the parent of the state and audit folders, never of the data directory', () => {
  const { config, origins } = read({}, { DATA_DIR: '/d', AUDIT_DIR: '/a' })
  expect(config).toMatchObject({ stateDir: '/d/sop-state', auditDir: '/a', dataDir: '/srv/here/.sop' })
  expect([origins['stateDir'], origins['auditDir']]).toEqual(['env DATA_DIR', 'env AUDIT_DIR'])
})

test('"none" takes a limit away that a weaker source sets', () => {
  const { config } = toml('approval_timeout = 60\nmax_concurrent_runs = 2', {
    SOP_APPROVAL_TIMEOUT: 'none',
    SOP_MAX_CONCURRENT_RUNS: 'None',
  })
  expect(config).not.toHaveProperty('approvalTimeoutMs')
  expect(config).not.toHaveProperty('maxConcurrentRuns')
})

test.each([
  ['approval_timeout = 90', 90_000],
  ['approval_timeout = "5 minutes"', 300_000],
  ['approval_timeout_mins = 30', 1_800_000],
  ['approvalTimeoutMins = 0.5', 30_000],
  ['approval_timeout_secs = "45"', 45_000],
  ['approval_timeout_ms = 250', 250],
])('the unit of %s comes from its value or the suffix of its key', (text, ms) => {
  expect(toml(text).config.approvalTimeoutMs).toBe(ms)
})

test('a variable of a duration may name its unit too', () => {
  expect(read({}, { SOP_APPROVAL_TIMEOUT_MINS: '2' }).config.approvalTimeoutMs).toBe(120_000)
})

test.each([
  [
    'api.port',
    'abc',
    'Cannot read setting "api.port": expected a port from 0 (picks a free one) to 65535, got "abc" (env SOP_API_PORT)',
    'SOP_API_PORT',
  ],
  ['api.port', '65536', 'got "65536"', 'SOP_API_PORT'],
  ['api.port', '-1', 'got "-1"', 'SOP_API_PORT'],
  ['temporal.address', 'http://x:1', 'expected host:port, e.g. 127.0.0.1:7233, got "http://x:1"', 'TEMPORAL_ADDRESS'],
  ['url', 'localhost:7780', 'expected an http(s) address', 'SOP_URL'],
  ['timezone', 'Mars/Olympus', 'expected an IANA time zone', 'SOP_TIMEZONE'],
  ['log_level', 'loud', 'expected debug, info, warn or error', 'SOP_LOG_LEVEL'],
  [
    'default_execution_mode',
    'manual',
    'expected one of auto, supervised, step_by_step, priority_based',
    'SOP_DEFAULT_EXECUTION_MODE',
  ],
  ['temporal.retention_days', '1', 'at least 7', 'SOP_TEMPORAL_RETENTION_DAYS'],
  ['default_step_timeout', 'soon', 'expected a duration', 'SOP_DEFAULT_STEP_TIMEOUT'],
  ['default_step_timeout', 'none', 'expected a duration', 'SOP_DEFAULT_STEP_TIMEOUT'],
  ['temporal.ui', 'maybe', 'expected true or false, got "maybe"', 'SOP_TEMPORAL_UI'],
])(
  'a wrong value of %s (%s) is an error that names key, value, expectation and place',
  (key, value, expected, variable) => {
    const result = read({}, { [variable]: value })
    expect(result.problems).toHaveLength(1)
    expect(messages(result)[0]).toContain(expected)
    expect(messages(result)[0]).toContain(`"${key}"`)
    expect(messages(result)[0]).toContain(`env ${variable}`)
    expect(result.origins).not.toContain(`env ${variable}`)
  },
)

test.each([
  ['[api]\nprot = 1', '"api.prot"', 'sop.config.toml:2', 'Did you mean "api.port"?'],
  ['dta_dir = "x"', '"dta_dir"', 'sop.config.toml:1', 'Did you mean "data_dir"?'],
  ['a = 1\nport = 1', '"port"', 'sop.config.toml:2', 'Did you mean "api.port"?'],
  ['[tempral]\naddress = "a:1"', '"tempral"', 'sop.config.toml:1', 'Did you mean "temporal"?'],
  ['zzzzzzzz = 1', '"zzzzzzzz"', 'sop.config.toml:1', '`sop config` lists every setting.'],
])('an unknown key is an error with its line and the way out: %j', (text, key, place, help) => {
  const all = messages(toml(text)).join('\n')
  for (const part of [`Cannot read setting ${key}`, `(${place})`, help]) expect(all).toContain(part)
})

test('a key inside a table of values is checked as well', () => {
  const all = messages(
    toml('[facts]\ndisk = { comand = "df" }\n[on_call]\nurl = "x"\n[[maintenance_windows]]\ncron = "x"'),
  )
  expect(all).toHaveLength(3)
  expect(all.join()).toMatch(/maintenance_windows.*on_call.*facts|facts/s)
})

test('all problems come at once', () => {
  const result = read(
    { 'sop.config.toml': 'log_level = "x"\nnope = 1\n[api]\nport = "y"', 'sops/config.json': '[]' },
    { SOP_URL: 'z' },
  )
  expect(result.problems).toHaveLength(5)
  expect(result.config.api.port).toBe(7780)
})

test('TOML that does not parse is reported with its place and the lines around it', () => {
  const [message] = messages(toml('a = 1\nport = = 2'))
  expect(message).toMatch(/^Cannot read config "sop\.config\.toml": .*\(sop\.config\.toml:2:\d+\)/)
  expect(message).toContain('port = = 2')
})

test.each(['notifications = 3', 'api = "x"'])('a table that is written as a value says so: %s', (text) => {
  expect(messages(toml(text))[0]).toContain('expected a table')
})

test('a setting that one file sets twice is an error', () => {
  const [message] = messages(toml('data_dir = "a"\ndataDir = "b"'))
  expect(message).toContain('it is set already at sop.config.toml:1 (sop.config.toml:2)')
})

test('a file that SOP_CONFIG names has to be there', () => {
  expect(messages(read({}, { SOP_CONFIG: 'gone.toml' }))[0]).toBe(
    'Cannot read config "gone.toml": there is no such file. Create it, or unset SOP_CONFIG',
  )
})

test('a file that cannot be read is an error, not an exception', () => {
  const result = readConfig({
    env: {},
    cwd,
    readFile: () => {
      throw new Error('this user may not read it')
    },
  })
  expect(messages(result)).toEqual(
    ['.env', 'sop.config.toml', 'sops/config.json'].map(
      (file) => `Cannot read config "${file}": this user may not read it`,
    ),
  )
})

test('a variable that looks like a setting and is none gets a warning, others are left alone', () => {
  const result = read(
    {},
    {
      SOP_API_PROT: '1',
      SOP_SLACK_SIGNING_KEY: 'x',
      SOP_PARAM_URL: 'y',
      SOP_RUN_ID: 'z',
      SOP_STEP: '1',
      SOP_TRIGGER_TYPE: 'w',
    },
  )
  expect(messages(result)).toEqual(['"SOP_API_PROT" sets nothing (env SOP_API_PROT)\n  Did you mean "SOP_API_PORT"?'])
})

test('two servers cannot have one port, unless no server is started', () => {
  expect(messages(read({}, { SOP_API_PORT: '7233' }))[0]).toContain(
    'Cannot use port 7233 for "temporal.port": "api.port" has it',
  )
  expect(read({}, { SOP_API_PORT: '7233', TEMPORAL_ADDRESS: 'h:7233' }).problems).toEqual([])
  expect(read({}, { SOP_API_PORT: '0', SOP_TEMPORAL_PORT: '0', SOP_TEMPORAL_UI_PORT: '0' }).problems).toEqual([])
})

test('requireConfig() throws one invalid with every error, and lets warnings pass', () => {
  const sources = { cwd, readFile: () => undefined }
  expect(requireConfig({ ...sources, env: { SOP_API_PROT: '1' } }).problems).toHaveLength(1)
  const failed = (() => {
    try {
      return requireConfig({ ...sources, env: { SOP_API_PORT: 'x', SOP_URL: 'y' } })
    } catch (error) {
      return error
    }
  })()
  expect(failed).toBeInstanceOf(SopError)
  expect(failed).toMatchObject({ code: 'invalid' })
  expect((failed as SopError).message.split('\n')).toHaveLength(2)
})

describe('where records are kept', () => {
  const URL = 'postgresql://sop:hunter2@db/sop?password=hunter2'

  test('in files, unless there is a database', () => {
    expect(read().config.store).toBe('file')
    expect(read({}, { SOP_DATABASE_URL: URL }).config).toMatchObject({ store: 'postgres', databaseUrl: URL })
    expect(read({}, { SOP_STORE: 'postgres', SOP_DATABASE_URL: URL }).problems).toEqual([])
  })

  test('a store without a place is an error, a place without its store a warning', () => {
    const [missing] = read({}, { SOP_STORE: 'postgres' }).problems
    expect(missing).toMatchObject({
      severity: 'error',
      help: expect.stringContaining('SOP_DATABASE_URL=postgresql://'),
    })
    const { config, problems } = read({}, { SOP_STORE: 'file', SOP_DATABASE_URL: URL })
    expect([config.store, problems.map(({ severity }) => severity)]).toEqual(['file', ['warning']])
    expect(read({}, { SOP_DATABASE_PASSWORD: 'x' }).problems).toMatchObject([{ severity: 'warning' }])
    expect(read({}, { SOP_DATABASE_URL: 'mysql://db/sop' }).problems).toMatchObject([{ severity: 'error' }])
  })

  test('no password is shown', () => {
    const shown = read({}, { SOP_DATABASE_URL: URL, SOP_DATABASE_PASSWORD: 'hunter2' })
    const lines = describeConfig(shown).filter(({ key }) => key.startsWith('database_'))
    expect(lines.map(({ value }) => value)).toEqual(['(set, not shown)', '(set, not shown)'])
    expect(JSON.stringify(describeConfig(shown))).not.toContain('hunter2')
    expect(messages(read({}, { SOP_DATABASE_URL: 'hunter2' })).join()).not.toContain('hunter2')
  })
})

test('describeConfig() shows every setting with its origin and hides what is secret', () => {
  const lines = describeConfig(read({}, { SOP_TOKEN: 'hunter2', SOP_PUBLIC_URL: 'https://bob:hunter2@sop.example/x' }))
  expect(lines).toHaveLength(SETTINGS.length)
  expect(JSON.stringify(lines)).not.toContain('hunter2')
  expect(lines.find(({ key }) => key === 'token')).toEqual({
    key: 'token',
    value: '(set, not shown)',
    origin: 'env SOP_TOKEN',
    variable: 'SOP_TOKEN',
  })
  expect(lines.find(({ key }) => key === 'temporal.ui_port')).toMatchObject({ value: 8233, origin: 'default' })
})

test('a secret value is not in an error message either', () => {
  expect(JSON.stringify(toml('token = 12345').problems)).not.toContain('12345')
  expect(JSON.stringify(toml('log_level = = 1\ntoken = "12345"').problems)).not.toContain('12345')
})

test('the configuration cannot be changed', () => {
  const { config } = read()
  expect(() => Object.assign(config.api, { port: 1 })).toThrow(TypeError)
})
