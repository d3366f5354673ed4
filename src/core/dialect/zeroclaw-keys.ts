// zeroclaw-keys.ts: every key of ZeroClaw's format (dialect Z), once, and what becomes of it here. docs/sop-format.md shows
// the table; a test holds it against the format's description.

/**
 * - carried out: does here what it does there.
 * - hint: kept and shown; changes nothing.
 * - refused: the SOP compiles, and every start is refused with a sentence, because the run would be another one.
 */
export type Fate = 'carried out' | 'hint' | 'refused'

export interface ZeroclawKey {
  readonly key: string
  readonly at: 'sop' | 'step' | 'trigger' | 'config'
  readonly fate: Fate
  /** What becomes of it, or what to write instead. */
  readonly doc: string
}

const sop = (key: string, fate: Fate, doc: string): ZeroclawKey => ({ key, at: 'sop', fate, doc })
const step = (key: string, fate: Fate, doc: string): ZeroclawKey => ({ key, at: 'step', fate, doc })
const trigger = (key: string, fate: Fate, doc: string): ZeroclawKey => ({ key, at: 'trigger', fate, doc })
const config = (doc: string, ...keys: readonly string[]): readonly ZeroclawKey[] =>
  keys.map((key) => ({ key, at: 'config', fate: 'hint', doc }))

export const ZEROCLAW_KEYS: readonly ZeroclawKey[] = [
  sop('name', 'carried out', 'name'),
  sop('description', 'carried out', 'description'),
  sop('version', 'carried out', 'version'),
  sop('priority', 'carried out', 'priority'),
  sop('execution_mode', 'carried out', 'execution_mode; deterministic is auto'),
  sop('deterministic', 'carried out', 'true: execution_mode auto'),
  sop('cooldown_secs', 'carried out', 'cooldown'),
  sop('max_concurrent', 'carried out', 'max_concurrent; 1 unless set'),
  sop('admission_policy', 'carried out', 'admission: parallel and hold queue, drop rejects, coalesce coalesces'),
  sop('max_pending_approvals', 'hint', 'parked runs are not limited'),
  sop('agent', 'hint', 'steps are done by commands, people or whichever agent takes them'),
  sop('triggers', 'carried out', 'triggers'),
  sop('positions', 'hint', 'places on a canvas'),
  sop('steps', 'carried out', 'steps, when there is no SOP.md'),
  step('tools', 'carried out', 'tools'),
  step('allow_tools', 'hint', 'the scope of tools belongs to the agent'),
  step('deny_tools', 'hint', 'the scope of tools belongs to the agent'),
  step('requires_confirmation', 'carried out', 'requires_approval'),
  step(
    'kind',
    'carried out',
    'execute as it is; checkpoint and approval are a gate and nothing to do; capability is refused',
  ),
  step('capability', 'refused', 'this engine has no capabilities: write a command or an HTTP request'),
  step('with', 'carried out', 'params of a sub-SOP; the config of a capability is kept as a hint'),
  step('input', 'hint', 'inputs are not checked against a schema'),
  step('output', 'carried out', 'the names of its properties become outputs; the schema is kept as a hint'),
  step('when', 'refused', 'guards a jump; alone it guards nothing. To skip a step write if'),
  step('next', 'refused', 'jumps are not carried out; on to the following step it says nothing new and is accepted'),
  step(
    'terminal',
    'refused',
    'ending a run in the middle is not carried out; at the last step it says nothing new and is accepted',
  ),
  step('switch', 'refused', 'branches are not carried out: write if at the steps'),
  step('depends_on', 'carried out', 'needs'),
  step('on_failure', 'carried out', 'on_failure'),
  step('mode', 'carried out', 'mode'),
  step('agent', 'hint', 'steps are done by commands, people or whichever agent takes them'),
  step('call', 'hint', 'planned tool calls are a preview there, too'),
  step('policy', 'refused', 'policies stand in a config that is not here: write approvers and quorum at the step'),
  step('prompt', 'hint', 'shown beside the gate; the body of the step is the text of its gate'),
  step('edit', 'hint', 'approvers approve or reject; they do not rewrite values'),
  trigger('type', 'carried out', 'type; filesystem is file_watch, channel is event'),
  trigger('expression', 'carried out', 'expression, in UTC unless a timezone is set'),
  trigger('path', 'carried out', 'path'),
  trigger('topic', 'carried out', 'topic'),
  trigger('routing_key', 'carried out', 'routing_key'),
  trigger('condition', 'carried out', 'condition'),
  trigger('events', 'carried out', 'event; renamed is create'),
  trigger('channel', 'carried out', 'the event `channel.<name>`'),
  trigger('alias', 'hint', 'which account of a channel'),
  trigger('board', 'hint', 'nothing here produces peripheral events'),
  trigger('signal', 'hint', 'nothing here produces peripheral events'),
  trigger('calendar_source', 'hint', 'nothing here produces calendar events'),
  trigger('calendar_ids', 'hint', 'nothing here produces calendar events'),
  ...config('the SOP directory is `SOP_DIR`', 'sops_dir'),
  ...config('config `defaultExecutionMode`', 'default_execution_mode'),
  ...config('config `maxConcurrentRuns`', 'max_concurrent_total'),
  ...config(
    'config `approvalTimeoutMins`, and on_timeout at a gate',
    'approval_timeout_secs',
    'approval_timeout_action',
  ),
  ...config(
    'runs are durable, and kept by `auditRetentionDays`',
    'max_finished_runs',
    'persist_runs',
    'run_store_backend',
    'run_state_dir',
  ),
  ...config('timers are durable: nothing is polled', 'maintenance_interval_secs'),
  ...config('approvers at a gate; agents approve only where that says so', 'approval_mode'),
  ...config('the scope of tools belongs to the agent', 'step_scope_enforce', 'step_mandatory_tools'),
  ...config('inputs are not checked against a schema', 'step_schema_enforce'),
  ...config('config `maxStepVisits`', 'max_step_visits'),
  ...config('retries and on_failure at a step', 'max_step_retries'),
  ...config(
    'payloads are data: they never become commands or prompts',
    'untrusted_payload_max_bytes',
    'untrusted_input_guard',
    'untrusted_guard_sensitivity',
    'untrusted_frame_warning',
    'untrusted_outbound_redact',
  ),
  ...config('the engine learns nothing from runs', 'procedural_memory_enabled'),
  ...config(
    'approvers, quorum and escalate_to at a gate',
    'members',
    'required_group',
    'quorum',
    'request_route',
    'escalation_route',
  ),
]

const keysAt = (at: ZeroclawKey['at']): readonly string[] =>
  ZEROCLAW_KEYS.filter((entry) => entry.at === at).map(({ key }) => key)

/** Keys that only ZeroClaw writes at a step: as bullets they tell the dialect. */
export const STEP_KEYS: readonly string[] = keysAt('step').filter(
  (key) => !['with', 'on_failure', 'mode'].includes(key),
)

/** Whether a step's key (normalised) is one that dialect Z writes. */
export const isStepKey = (key: string): boolean => STEP_KEYS.includes(key)

const OWN_STEP_KEYS = STEP_KEYS.filter((key) => !['tools', 'requires_confirmation', 'depends_on'].includes(key))

/** Whether a step's key belongs to ZeroClaw and is none of our settings; `with` is both. */
export const isForeignStepKey = (key: string): boolean => OWN_STEP_KEYS.includes(key) || key === 'with'

const OWN_SOP_KEYS = ['deterministic', 'max_pending_approvals', 'agent', 'positions']
const CONFIG_KEYS = keysAt('config').filter((key) => !['quorum', 'members', 'max_concurrent'].includes(key))

/** Keys of `[sop]` that only ZeroClaw writes: they tell the dialect. */
export const isZeroclawSopKey = (key: string): boolean => OWN_SOP_KEYS.includes(key) || key === 'admission_policy'

/** Whether an SOP's key belongs to ZeroClaw and is none of our settings. */
export const isForeignSopKey = (key: string): boolean => OWN_SOP_KEYS.includes(key) || CONFIG_KEYS.includes(key)

/** Whether a trigger's key belongs to ZeroClaw and is none of our settings. */
export const isForeignTriggerKey = (key: string): boolean =>
  ['channel', 'alias', 'board', 'signal', 'calendar_source', 'calendar_ids'].includes(key)

export const docOf = (at: ZeroclawKey['at'], key: string): string =>
  ZEROCLAW_KEYS.find((entry) => entry.at === at && entry.key === key)?.doc ?? ''
