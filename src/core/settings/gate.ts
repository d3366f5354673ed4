import { EXECUTION_MODES, ON_REJECT, ON_TIMEOUT } from '../definition.ts'
import { ASKING, GATE, MODE_SYNONYMS, STEP, TIMEOUT_SYNONYMS, type Setting } from './setting.ts'

// gate.ts: settings of what asks for approval: steps and gates alike, then gates alone.

/** Steps and gates: approval. */
export const APPROVAL_SETTINGS = [
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
] as const satisfies readonly Setting[]

/** Gates. */
export const GATE_SETTINGS = [
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
] as const satisfies readonly Setting[]
