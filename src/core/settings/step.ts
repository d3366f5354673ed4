import { ASKING, STEP, type Setting } from './setting.ts'

// step.ts: settings of a step: whether, when and how it runs.

/** Steps: whether and when. */
export const STEP_SETTINGS = [
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
] as const satisfies readonly Setting[]

/** Steps: how. */
export const EXECUTION_SETTINGS = [
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
] as const satisfies readonly Setting[]

/** Steps: other actions. */
export const ACTION_SETTINGS = [
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
] as const satisfies readonly Setting[]

/** Manual steps. */
export const MANUAL_SETTINGS = [
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
] as const satisfies readonly Setting[]
