import {
  ADMISSIONS,
  BLACKOUT_POLICIES,
  EXECUTION_MODES,
  ON_REJECT,
  ON_RUN_TIMEOUT,
  ON_TIMEOUT,
  PARAM_TYPES,
  PRIORITIES,
} from './definition.ts'

// settings.ts: every setting of SOP files, once: key, type, default and spellings. The compiler reads by this table, and
// docs/sop-format.md shows it; a test compares the two.
//
// A key is found in any of its spellings: snake_case, camelCase, kebab-case, words with spaces, any case; a duration also
// with a unit behind it (`timeout_secs`, `approvalTimeoutMins`, `jitter_ms`).

export const SCOPES = [
  'sop',
  'step',
  'gate',
  'trigger',
  'param',
  'conditions',
  'notifications',
  'http',
  'hint',
] as const
export type Scope = (typeof SCOPES)[number]

/** What a setting takes, with the words in which a message and the docs name it. */
export const SETTING_TYPES = {
  text: 'a text',
  name: 'a name of letters, digits, ".", "_" and "-"',
  boolean: 'true or false (in Markdown also yes and no)',
  integer: 'a whole number',
  duration: 'a duration such as "90s", "5 minutes" or "1h30m", or "none"',
  word: 'one of its words',
  list: 'a list of texts (in Markdown separated by commas)',
  map: 'a table of names and values',
  json: 'a value, list or table',
  condition: 'a condition such as "tests_pass" or "severity >= \'high\'"',
  commands: 'a command, or a list of commands',
  steps: 'numbers, slugs or titles of steps',
  failure: 'pause, fail, continue, rollback, retry:N or goto:N',
  quorum: 'a number, or a number per group as in { dba = 1, sre = 2 }',
  wait: 'a duration such as "10m", a time such as "18:00", or an instant such as "2026-03-01T09:00:00Z"',
  http: 'a URL with an optional method, as in "GET https://example.com/health", or a table',
  each: 'a list, or the name of a value that holds one',
  pool: 'a pool of workers, with labels as in "dba[eu]" or ["dba", "eu"]',
  fields: 'a table of typed values, as in { version = { type = "string", required = true } }',
  table: 'a table',
  tables: 'a list of tables',
} as const
export type SettingType = keyof typeof SETTING_TYPES

export interface Setting {
  readonly key: string
  readonly scopes: readonly Scope[]
  readonly type: SettingType
  /** Other names of the key, in snake_case. */
  readonly also?: readonly string[]
  /** For `word`: what it takes, and what else means the same. */
  readonly words?: readonly string[]
  readonly synonyms?: Readonly<Record<string, string>>
  /** For `integer`. */
  readonly least?: number
  readonly most?: number
  /** For `duration`: whether zero means something. */
  readonly zero?: boolean
  /** For settings of triggers: the types that know it. */
  readonly triggers?: readonly string[]
  /** As the docs say it; absent: nothing happens without the setting. */
  readonly default?: string
  readonly doc: string
}

export const MODE_SYNONYMS = {
  automatic: 'auto',
  autonomous: 'auto',
  manual: 'step_by_step',
  stepwise: 'step_by_step',
  priority: 'priority_based',
  // ZeroClaw: no model decides, so nothing but checkpoints stops it (rulings 10).
  deterministic: 'auto',
} as const
const PRIORITY_SYNONYMS = { medium: 'normal', default: 'normal', urgent: 'critical' } as const
const PARAM_TYPE_SYNONYMS = {
  text: 'string',
  str: 'string',
  int: 'number',
  integer: 'number',
  float: 'number',
  bool: 'boolean',
  enum: 'choice',
  select: 'choice',
} as const
const ADMISSION_SYNONYMS = { hold: 'queue', parallel: 'queue', drop: 'reject' } as const
const TIMEOUT_SYNONYMS = { auto_approve: 'approve', cancel: 'fail', deny: 'reject' } as const
const OVERLAPS = ['allow_all', 'skip', 'buffer_one', 'buffer_all', 'cancel_other', 'terminate_other'] as const

const SOP: readonly Scope[] = ['sop']
const STEP: readonly Scope[] = ['step']
const GATE: readonly Scope[] = ['gate']
const TRIGGER: readonly Scope[] = ['trigger']
const ASKING: readonly Scope[] = ['step', 'gate']

export const SETTINGS = [
  // The SOP
  {
    key: 'name',
    scopes: ['sop', 'gate', 'param'],
    type: 'text',
    also: ['id'],
    default: 'SOP: the folder or file',
    doc: 'The identity; 1 to 100 of A-Z a-z 0-9 . _ -',
  },
  {
    key: 'title',
    scopes: ['sop', 'step'],
    type: 'text',
    default: 'SOP: the first heading, else the name',
    doc: 'What people read',
  },
  {
    key: 'description',
    scopes: ['sop', 'step', 'param'],
    type: 'text',
    also: ['desc', 'summary', 'body', 'help'],
    default: 'SOP: the first sentence of the document',
    doc: 'What it does',
  },
  { key: 'version', scopes: SOP, type: 'text', default: '1.0.0', doc: 'A semantic version' },
  { key: 'author', scopes: SOP, type: 'text', doc: 'Who wrote it' },
  { key: 'owner', scopes: SOP, type: 'text', also: ['team'], doc: 'Who answers for it' },
  { key: 'tags', scopes: ['sop', 'step'], type: 'list', also: ['labels', 'tag'], doc: 'Words to find it by' },
  {
    key: 'priority',
    scopes: SOP,
    type: 'word',
    words: PRIORITIES,
    synonyms: PRIORITY_SYNONYMS,
    default: 'normal',
    doc: 'How urgent its runs are',
  },
  {
    key: 'execution_mode',
    scopes: SOP,
    type: 'word',
    also: ['mode'],
    words: EXECUTION_MODES,
    synonyms: MODE_SYNONYMS,
    default: 'config `defaultExecutionMode`',
    doc: 'Where its runs ask for approval',
  },
  {
    key: 'cooldown',
    scopes: SOP,
    type: 'duration',
    also: ['cool_down'],
    zero: true,
    default: '0',
    doc: 'Least time from one run to the next',
  },
  {
    key: 'max_concurrent',
    scopes: SOP,
    type: 'integer',
    also: ['concurrency', 'max_concurrent_runs'],
    least: 1,
    default: 'no limit; 1 in dialect Z',
    doc: 'Runs at the same time',
  },
  {
    key: 'admission',
    scopes: SOP,
    type: 'word',
    also: ['admission_policy'],
    words: ADMISSIONS,
    synonyms: ADMISSION_SYNONYMS,
    default: 'queue',
    doc: 'What happens to a run that finds no slot',
  },
  {
    key: 'release_slot_at_gate',
    scopes: SOP,
    type: 'boolean',
    default: 'false',
    doc: 'A run that waits at a gate gives its slot away',
  },
  {
    key: 'lock',
    scopes: SOP,
    type: 'list',
    also: ['locks'],
    doc: 'Names that only one run at a time may hold, across SOPs',
  },
  { key: 'blackout', scopes: SOP, type: 'list', also: ['blackouts'], doc: 'Times in which no run begins' },
  {
    key: 'blackout_policy',
    scopes: SOP,
    type: 'word',
    words: BLACKOUT_POLICIES,
    default: 'refuse',
    doc: 'What happens to a run that comes in a blackout or on a holiday',
  },
  { key: 'holidays', scopes: SOP, type: 'list', doc: 'Days on which no run begins' },
  {
    key: 'timezone',
    scopes: ['sop', 'trigger'],
    type: 'text',
    also: ['time_zone', 'tz'],
    triggers: ['cron'],
    default: "the config's, else the host's",
    doc: 'IANA name, as in Europe/Berlin',
  },
  {
    key: 'timeout',
    scopes: ['sop', 'step', 'gate'],
    type: 'duration',
    default: 'step: config `defaultStepTimeout` (1h); SOP and gate: none',
    doc: 'Time for the whole run, for a step, or for the decision at a gate',
  },
  {
    key: 'on_run_timeout',
    scopes: SOP,
    type: 'word',
    words: ON_RUN_TIMEOUT,
    default: 'fail',
    doc: 'What happens when the time for the whole run is over',
  },
  {
    key: 'approval_timeout',
    scopes: ['sop', 'step', 'gate'],
    type: 'duration',
    default: 'config `approvalTimeoutMins`, else none',
    doc: 'Time for a decision; at an SOP: for its gates that set none',
  },
  {
    key: 'params',
    scopes: ['sop', 'trigger'],
    type: 'fields',
    also: ['parameters', 'param', 'inputs', 'vars', 'variables'],
    triggers: ['cron', 'webhook', 'file_watch', 'command', 'event', 'mqtt', 'amqp', 'sop'],
    doc: 'Values that a run takes; at a trigger: values that it gives',
  },
  {
    key: 'conditions',
    scopes: SOP,
    type: 'table',
    also: ['condition', 'preconditions'],
    doc: 'What must hold for a run to begin',
  },
  { key: 'gates', scopes: SOP, type: 'tables', also: ['gate'], doc: 'Gates before, after and between steps' },
  { key: 'triggers', scopes: SOP, type: 'tables', also: ['trigger'], default: 'manual', doc: 'Why a run may begin' },
  { key: 'notifications', scopes: SOP, type: 'table', also: ['notify'], doc: 'Who is told what' },
  {
    key: 'secrets',
    scopes: ['sop', 'step'],
    type: 'list',
    also: ['secret'],
    doc: 'Names of secrets that commands may read',
  },
  { key: 'env', scopes: ['sop', 'step'], type: 'map', also: ['environment'], doc: 'Variables for commands' },
  {
    key: 'defaults',
    scopes: SOP,
    type: 'table',
    also: ['step_defaults'],
    doc: 'Settings for every step that does not set them itself',
  },
  {
    key: 'steps',
    scopes: SOP,
    type: 'tables',
    also: ['step'],
    doc: 'Steps, or settings for the steps of SOP.md by number',
  },
  { key: 'hints', scopes: SOP, type: 'tables', doc: 'Settings of another system, shown and without effect' },
  { key: 'refusals', scopes: SOP, type: 'list', doc: 'Sentences that keep every run from starting' },

  // Steps: whether and when
  {
    key: 'number',
    scopes: STEP,
    type: 'integer',
    least: 1,
    also: ['step', 'no'],
    doc: 'In manifests: the step that is meant',
  },
  { key: 'if', scopes: ASKING, type: 'condition', also: ['condition', 'only_if'], doc: 'Skipped unless this holds' },
  {
    key: 'needs',
    scopes: STEP,
    type: 'steps',
    also: ['depends_on', 'need', 'requires_steps'],
    default: 'the step above',
    doc: 'Starts as soon as these are done, beside others; `[]`: at once',
  },
  {
    key: 'for_each',
    scopes: STEP,
    type: 'each',
    also: ['foreach', 'for_each_item'],
    doc: 'Runs once for each item, which is `$item`: a list, or the name of a param or output',
  },
  {
    key: 'max_parallel',
    scopes: ['sop', 'step'],
    type: 'integer',
    also: ['parallel'],
    least: 1,
    most: 500,
    default: '5 at a step, 100 for the SOP',
    doc: 'Items of a `for_each` at the same time; for the SOP: all that is under way at the same time',
  },

  // Steps and gates: approval
  {
    key: 'requires_approval',
    scopes: STEP,
    type: 'boolean',
    also: ['requires_confirmation', 'approval_required', 'approval', 'confirmation_required'],
    default: 'what the mode says',
    doc: 'A gate before the step; false waives the gate of the mode',
  },
  {
    key: 'approve_if',
    scopes: STEP,
    type: 'condition',
    also: ['approval_if'],
    doc: 'A gate before the step when this holds',
  },
  {
    key: 'on_timeout',
    scopes: ASKING,
    type: 'word',
    also: ['on_approval_timeout', 'timeout_action', 'approval_timeout_action'],
    words: ON_TIMEOUT,
    synonyms: TIMEOUT_SYNONYMS,
    default: 'approve',
    doc: 'What happens when the time for a decision is over',
  },
  {
    key: 'approvers',
    scopes: ASKING,
    type: 'list',
    also: ['approver', 'approved_by'],
    default: 'anyone who may approve',
    doc: 'Users, and groups as `group:dba`',
  },
  {
    key: 'quorum',
    scopes: ASKING,
    type: 'quorum',
    also: ['approvals', 'min_approvals'],
    default: '1',
    doc: 'How many must approve',
  },
  {
    key: 'exclude',
    scopes: ASKING,
    type: 'list',
    also: ['excludes', 'exclude_approvers'],
    doc: 'Who may not approve: users, `starter`, `previous_approver`',
  },
  {
    key: 'on_reject',
    scopes: ASKING,
    type: 'word',
    also: ['on_rejection'],
    words: ON_REJECT,
    default: 'pause',
    doc: 'What happens when the gate is rejected',
  },
  {
    key: 'remind',
    scopes: ASKING,
    type: 'duration',
    also: ['remind_every', 'reminder'],
    doc: 'How often people are reminded of its open gate, at least 1 minute apart',
  },
  {
    key: 'escalate_to',
    scopes: ASKING,
    type: 'list',
    also: ['escalation', 'escalate'],
    doc: 'Who is asked when the time is over and `on_timeout` is escalate',
  },
  {
    key: 'mode',
    scopes: STEP,
    type: 'word',
    also: ['execution_mode'],
    words: EXECUTION_MODES,
    synonyms: MODE_SYNONYMS,
    doc: 'A mode for this step; it can only add a gate',
  },

  // Steps: how
  {
    key: 'commands',
    scopes: STEP,
    type: 'commands',
    also: ['command', 'run', 'script'],
    doc: 'In manifests: what a fence holds in Markdown',
  },
  {
    key: 'retries',
    scopes: STEP,
    type: 'integer',
    also: ['retry', 'max_retries'],
    least: 0,
    default: '0',
    doc: 'How often a failed step is tried again',
  },
  {
    key: 'retry_delay',
    scopes: STEP,
    type: 'duration',
    also: ['retry_after', 'backoff'],
    zero: true,
    default: '0',
    doc: 'Time between two tries',
  },
  {
    key: 'idempotent',
    scopes: STEP,
    type: 'boolean',
    default: 'false',
    doc: 'May be repeated when its worker died under way',
  },
  {
    key: 'on_failure',
    scopes: STEP,
    type: 'failure',
    also: ['on_fail', 'on_error'],
    default: 'pause; fail in mode auto',
    doc: 'What happens when it fails',
  },
  { key: 'rollback', scopes: STEP, type: 'commands', also: ['undo'], doc: 'Commands that undo the step' },
  {
    key: 'verify',
    scopes: STEP,
    type: 'commands',
    also: ['verification', 'check'],
    doc: 'Commands that must pass after the step',
  },
  {
    key: 'point_of_no_return',
    scopes: STEP,
    type: 'boolean',
    also: ['irreversible'],
    default: 'false',
    doc: 'A walk back stops behind it and asks a person',
  },
  {
    key: 'runs_on',
    scopes: STEP,
    type: 'pool',
    also: ['pool', 'worker'],
    default: 'the worker of the engine',
    doc: 'The pool of workers that carries the step out, and labels that such a worker must have',
  },
  {
    key: 'cwd',
    scopes: STEP,
    type: 'text',
    also: ['working_directory', 'workdir', 'dir'],
    default: 'where the engine was started',
    doc: 'The folder that commands run in',
  },
  {
    key: 'shell',
    scopes: STEP,
    type: 'text',
    also: ['interpreter'],
    default: 'bash',
    doc: 'The program that runs shell fences',
  },
  {
    key: 'outputs',
    scopes: STEP,
    type: 'list',
    also: ['output_names'],
    doc: 'Names that the step writes to `$SOP_OUTPUT`',
  },
  { key: 'tools', scopes: STEP, type: 'list', also: ['suggested_tools', 'tool'], doc: 'Tools that an agent may want' },

  // Steps: other actions
  {
    key: 'sop',
    scopes: ['step', 'trigger'],
    type: 'text',
    also: ['run_sop', 'sub_sop'],
    triggers: ['sop'],
    doc: 'Runs another SOP as this step; at a trigger: the SOP whose end is meant',
  },
  { key: 'with', scopes: STEP, type: 'json', also: ['sop_params'], doc: 'Params for that SOP' },
  {
    key: 'wait',
    scopes: STEP,
    type: 'wait',
    also: ['wait_for', 'wait_until', 'sleep', 'delay'],
    doc: 'Waits for a time, or until one',
  },
  { key: 'http', scopes: STEP, type: 'http', also: ['http_request', 'request'], doc: 'Sends a request' },
  {
    key: 'expect',
    scopes: ['step', 'http'],
    type: 'list',
    also: ['expected_status', 'expect_status', 'status'],
    default: '200 to 299',
    doc: 'Statuses that count as success',
  },
  {
    key: 'method',
    scopes: ['http'],
    type: 'text',
    also: ['verb'],
    default: 'GET',
    doc: 'GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS',
  },
  { key: 'url', scopes: ['http'], type: 'text', also: ['uri'], doc: 'An http or https URL' },
  { key: 'headers', scopes: ['http'], type: 'map', also: ['header'], doc: 'Header fields' },
  {
    key: 'body',
    scopes: ['http'],
    type: 'json',
    also: ['data', 'json'],
    doc: 'The body: a text, or a table that is sent as JSON',
  },

  // Manual steps
  {
    key: 'assignee',
    scopes: STEP,
    type: 'text',
    also: ['assigned_to', 'assign', 'who'],
    default: 'any operator',
    doc: 'Who does it: a user or `group:dba`',
  },
  {
    key: 'due',
    scopes: STEP,
    type: 'duration',
    also: ['due_in', 'due_after'],
    doc: 'When it should be done, from the moment it asks',
  },
  {
    key: 'form',
    scopes: STEP,
    type: 'fields',
    also: ['fields'],
    doc: 'Typed values that whoever completes the step gives',
  },
  {
    key: 'checklist',
    scopes: STEP,
    type: 'list',
    also: ['items', 'checks'],
    doc: 'In manifests: what bullets are in Markdown',
  },

  // Gates
  {
    key: 'type',
    scopes: GATE,
    type: 'word',
    also: ['kind'],
    words: ['approval', 'verification'],
    synonyms: { approve: 'approval', verify: 'verification', manual: 'approval', check: 'verification' },
    default: 'approval; verification with a command',
    doc: 'A decision, or a command that must exit 0',
  },
  {
    key: 'required',
    scopes: ['gate', 'param'],
    type: 'boolean',
    default: 'gate: true; param: false',
    doc: 'A gate that is not required is recorded and passed; a param that is must be given',
  },
  { key: 'command', scopes: GATE, type: 'commands', also: ['commands', 'run'], doc: 'For verification' },
  { key: 'before', scopes: GATE, type: 'steps', also: ['before_step'], doc: 'The step that the gate stands before' },
  { key: 'after', scopes: GATE, type: 'steps', also: ['after_step'], doc: 'The step that the gate stands behind' },

  // Triggers
  {
    key: 'type',
    scopes: TRIGGER,
    type: 'text',
    also: ['kind', 'on_type'],
    doc: 'manual, cron, webhook, file_watch, command, event, mqtt, amqp or sop',
  },
  {
    key: 'condition',
    scopes: TRIGGER,
    type: 'condition',
    also: ['if', 'when', 'filter'],
    doc: 'Begins a run only when this holds for the payload',
  },
  {
    key: 'expression',
    scopes: TRIGGER,
    type: 'text',
    also: ['cron', 'schedule'],
    triggers: ['cron'],
    doc: 'Five fields as in `0 2 * * *`, or @daily and the like',
  },
  {
    key: 'overlap',
    scopes: TRIGGER,
    type: 'word',
    words: OVERLAPS,
    triggers: ['cron'],
    default: 'allow_all; admission decides',
    doc: 'What a fire does while a run is open',
  },
  {
    key: 'catch_up',
    scopes: TRIGGER,
    type: 'duration',
    also: ['catch_up_window', 'catchup', 'catchup_window'],
    triggers: ['cron'],
    default: '24h',
    doc: 'How late a missed fire still counts',
  },
  {
    key: 'jitter',
    scopes: TRIGGER,
    type: 'duration',
    triggers: ['cron'],
    default: '0',
    zero: true,
    doc: 'Spreads fires at random over this time',
  },
  {
    key: 'path',
    scopes: TRIGGER,
    type: 'text',
    also: ['url', 'glob'],
    triggers: ['webhook', 'file_watch'],
    doc: 'The path of the webhook, or the files to watch',
  },
  {
    key: 'methods',
    scopes: TRIGGER,
    type: 'list',
    also: ['method'],
    triggers: ['webhook'],
    default: 'POST',
    doc: 'HTTP methods',
  },
  {
    key: 'secret',
    scopes: TRIGGER,
    type: 'text',
    triggers: ['webhook'],
    doc: 'Name of the secret that signs or accompanies the request',
  },
  {
    key: 'signature',
    scopes: TRIGGER,
    type: 'text',
    also: ['signature_header'],
    triggers: ['webhook'],
    default: 'any of these that the request brings',
    doc: 'How the request is signed: `github`, `stripe`, `pagerduty`, `grafana`, `gitlab`, `bearer`, a header with an HMAC, or `hmac`, `timestamped` or `token` with a header',
  },
  {
    key: 'replay_window',
    scopes: TRIGGER,
    type: 'duration',
    also: ['tolerance', 'max_age'],
    triggers: ['webhook'],
    default: '5m',
    doc: 'How far the time in a signature may be off',
  },
  {
    key: 'idempotency_key',
    scopes: TRIGGER,
    type: 'text',
    also: ['dedupe', 'dedupe_key'],
    triggers: ['webhook'],
    default: '`Idempotency-Key`, `X-GitHub-Delivery` or CloudEvents `id`',
    doc: 'What tells repeats: a header, a path such as `$.id`, an expression in `{{ }}`, `body` (its digest), or `none`',
  },
  {
    key: 'event',
    scopes: TRIGGER,
    type: 'list',
    also: ['events', 'name'],
    triggers: ['event', 'file_watch'],
    doc: 'Name of the event; of a file_watch: create, modify, delete',
  },
  {
    key: 'settle',
    scopes: TRIGGER,
    type: 'duration',
    also: ['settle_time', 'stable_for', 'debounce'],
    triggers: ['file_watch'],
    default: '2s',
    doc: 'How long a file has to be left alone before what happened to it counts',
  },
  {
    key: 'on_start',
    scopes: TRIGGER,
    type: 'boolean',
    also: ['at_start', 'catch_up_files'],
    triggers: ['file_watch'],
    default: 'false',
    doc: 'What happened to files while the engine was off counts when it starts',
  },
  {
    key: 'pattern',
    scopes: TRIGGER,
    type: 'text',
    also: ['regex', 'match'],
    triggers: ['command'],
    doc: 'An RE2 expression over the message',
  },
  {
    key: 'capture_groups',
    scopes: TRIGGER,
    type: 'boolean',
    also: ['captures'],
    triggers: ['command'],
    default: 'false',
    doc: 'Groups of the pattern become params',
  },
  { key: 'topic', scopes: TRIGGER, type: 'text', triggers: ['mqtt'], doc: 'MQTT topic, with + and #' },
  { key: 'routing_key', scopes: TRIGGER, type: 'text', triggers: ['amqp'], doc: 'AMQP routing key, with * and #' },
  {
    key: 'on',
    scopes: TRIGGER,
    type: 'list',
    also: ['states', 'outcome'],
    triggers: ['sop'],
    default: 'completed',
    doc: 'completed, failed or cancelled',
  },

  // Params and form fields
  {
    key: 'type',
    scopes: ['param'],
    type: 'word',
    words: PARAM_TYPES,
    synonyms: PARAM_TYPE_SYNONYMS,
    default: 'string',
    doc: 'What it takes',
  },
  { key: 'default', scopes: ['param'], type: 'json', also: ['value'], doc: 'What it is when nobody gives it' },
  {
    key: 'choices',
    scopes: ['param'],
    type: 'list',
    also: ['options', 'values', 'enum', 'choice'],
    doc: 'For choice: what can be chosen',
  },
  {
    key: 'pattern',
    scopes: ['param'],
    type: 'text',
    also: ['regex', 'match'],
    doc: 'An RE2 expression that the whole text must match',
  },
  {
    key: 'secret',
    scopes: ['param'],
    type: 'boolean',
    also: ['sensitive'],
    default: 'false',
    doc: 'Never shown, never recorded',
  },

  // Conditions, notifications, hints
  { key: 'requires', scopes: ['conditions'], type: 'list', also: ['require', 'all'], doc: 'All of these must hold' },
  { key: 'expression', scopes: ['conditions'], type: 'condition', also: ['if', 'when', 'expr'], doc: 'This must hold' },
  {
    key: 'on_approval_required',
    scopes: ['notifications'],
    type: 'boolean',
    default: "the config's",
    doc: 'Tell when a gate opens',
  },
  {
    key: 'on_step_completed',
    scopes: ['notifications'],
    type: 'boolean',
    default: "the config's",
    doc: 'Tell when a step is done',
  },
  {
    key: 'on_run_completed',
    scopes: ['notifications'],
    type: 'boolean',
    default: "the config's",
    doc: 'Tell when a run is done',
  },
  {
    key: 'on_run_failed',
    scopes: ['notifications'],
    type: 'boolean',
    default: "the config's",
    doc: 'Tell when a run failed',
  },
  {
    key: 'channel',
    scopes: ['notifications'],
    type: 'text',
    also: ['channels', 'to'],
    default: 'config `SOP_APPROVAL_CHANNEL`',
    doc: 'Where to: slack:#x or telegram:<chat>',
  },
  { key: 'key', scopes: ['hint'], type: 'text', doc: 'The setting' },
  { key: 'value', scopes: ['hint'], type: 'json', doc: 'Its value' },
  { key: 'step', scopes: ['hint'], type: 'integer', least: 1, doc: 'The step it stands at' },
] as const satisfies readonly Setting[]

export type SettingKey = (typeof SETTINGS)[number]['key']

/** `approvalTimeoutMins`, `Approval Timeout Mins` and `approval-timeout-mins` are all `approval_timeout_mins`. */
export const normalizeKey = (text: string): string => {
  const known = normalized.get(text)
  if (known !== undefined) return known
  const key = normalize(text)
  if (normalized.size < MAX_NORMALIZED && text.length < 64) normalized.set(text, key)
  return key
}

// Every document writes the same few keys. Bounded, since any text may come along as a key.
const MAX_NORMALIZED = 2_000
const normalized = new Map<string, string>()

const normalize = (text: string): string =>
  text
    .trim()
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[\s-]+/g, '_')
    .toLowerCase()

const UNIT = /_(ms|millis|milliseconds|s|secs?|seconds?|mins?|minutes?|hrs?|hours?|days?|weeks?)$/

export interface FoundSetting {
  readonly setting: Setting
  /** The unit that the spelling names, e.g. `mins`. */
  readonly unit?: string
}

const index = new Map<string, Setting>()
for (const setting of SETTINGS as readonly Setting[]) {
  for (const scope of setting.scopes) {
    for (const name of [setting.key, ...(setting.also ?? [])]) {
      const key = `${scope} ${name}`
      // A key's own name beats another key's synonym.
      if (!index.has(key) || name === setting.key) index.set(key, setting)
    }
  }
}

/** The setting that a spelling means in a scope, or undefined. */
export const findSetting = (scope: Scope, spelling: string): FoundSetting | undefined => {
  const key = normalizeKey(spelling)
  const exact = index.get(`${scope} ${key}`)
  if (exact !== undefined) return { setting: exact }
  const unit = UNIT.exec(key)?.[1]
  if (unit === undefined) return undefined
  const setting = index.get(`${scope} ${key.slice(0, -unit.length - 1)}`)
  return setting?.type === 'duration' ? { setting, unit } : undefined
}

/** All names that a scope knows, in snake_case: what a misspelt key may have meant. */
export const spellingsOf = (scope: Scope): readonly string[] => spellings.get(scope) ?? []

const spellings = new Map<Scope, readonly string[]>(
  SCOPES.map((scope) => {
    const keys = [...index.keys()].filter((key) => key.startsWith(`${scope} `))
    return [scope, keys.map((key) => key.slice(scope.length + 1))]
  }),
)
