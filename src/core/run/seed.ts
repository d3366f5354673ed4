import { canonicalJson } from '../canonical.ts'
import { EXECUTION_MODES, type ExecutionMode, type Json } from '../definition.ts'
import { didYouMean } from '../nearest.ts'
import { PARAM_SYNONYMS } from '../param-synonyms.ts'
import { checkParams } from '../params.ts'
import { verifySeal } from '../seal.ts'
import { effectiveMode, STRICTNESS } from './mode.ts'
import type { Principal, Surface, TriggerInfo } from './principal.ts'
import type { StartedBySchedule } from '../schedule/sealed-schedule.ts'
import type { ParentRun, PinnedSop, RunSeed } from './run.ts'
import { scheduledSeed } from './scheduled-seed.ts'
import { unsupported } from './supported.ts'

/** What a start asks for, as the workflow receives it. */
export interface StartInput {
  readonly params?: Readonly<Record<string, Json>>
  readonly executionMode?: ExecutionMode
  readonly skipApproval?: boolean
  readonly force?: boolean
  readonly trigger?: TriggerInfo
  readonly startedBy?: Principal
  readonly via?: Surface
  readonly rulesVersion?: number
  /** Who started it is believed only with a seal over these fields by the installation. */
  readonly seal?: string
  /** For a run that is a step of another; believed only with a seal. */
  readonly parent?: ParentRun
  /** For a run that a Temporal Schedule starts; the seal is then one of that schedule, and covers nothing but it and the params. */
  readonly schedule?: StartedBySchedule
}

/** What the seal of a start covers: everything that the starter's rights decide about. */
export const sealedStart = (runId: string, sop: string, input: StartInput): string =>
  canonicalJson({
    runId,
    sop,
    startedBy: input.startedBy ?? null,
    via: input.via ?? null,
    executionMode: input.executionMode ?? null,
    skipApproval: input.skipApproval ?? false,
    force: input.force ?? false,
    ...(input.parent && { parent: { ...input.parent } }),
  })

const UNVERIFIED: Principal = { id: 'temporal', kind: 'user', verified: false }

/**
 * The seed of a run. A start that our API sealed is taken at its word, since it was checked there; one that came from
 * Temporal directly gets no rights by claiming them, and its problems are put on record as a refusal.
 */
export const seedOf = (runId: string, input: StartInput, pinned: PinnedSop): RunSeed => {
  if (input.schedule !== undefined) return scheduledSeed(runId, input, pinned)
  const { definition } = pinned
  const sealed =
    input.seal !== undefined && verifySeal(pinned.authority, sealedStart(runId, definition.name, input), input.seal)
  const rulesVersion = input.rulesVersion ?? pinned.rulesVersion ?? 1
  const asked = !sealed && rulesVersion >= STRICT_SINCE ? readDirectly(input) : { params: input.params, problems: [] }
  const checked = sealed ? undefined : checkParams(definition.params, isTable(asked.params) ? asked.params : {}, 'hand')
  const problems = sealed
    ? unsupported(definition)
    : [
        ...unsupported(definition),
        ...asked.problems,
        ...directProblems({ ...input, params: asked.params }, pinned, checked),
      ]
  return {
    runId,
    rulesVersion,
    pinned,
    params: sealed ? (input.params ?? {}) : checked?.ok === true ? checked.params : {},
    // What a start in Temporal says of its trigger, nothing vouches for.
    trigger: sealed && input.trigger ? input.trigger : { type: 'manual' },
    startedBy: sealed && input.startedBy ? input.startedBy : UNVERIFIED,
    via: sealed && input.via ? input.via : 'temporal',
    ...(isMode(input.executionMode) && { mode: input.executionMode }),
    ...(sealed && input.skipApproval === true && { skipApproval: true }),
    ...(sealed && input.force === true && { force: true }),
    ...(problems.length > 0 && { problems }),
    ...(sealed && input.parent && { parent: input.parent }),
  }
}

/** The rules by which a start in Temporal knows every word for params, and refuses a key that nobody reads. */
const STRICT_SINCE = 7

const DIRECT_KEYS: readonly string[] = [
  'sop',
  ...PARAM_SYNONYMS,
  'executionMode',
  'skipApproval',
  'force',
  'trigger',
  'startedBy',
  'via',
  'rulesVersion',
  'pinned',
  'seal',
  'parent',
]
/** Of these, what makes sense to somebody who types. */
const TYPED_KEYS: readonly string[] = ['sop', ...PARAM_SYNONYMS, 'executionMode']

/** What somebody typed into Temporal's UI or CLI: any of the words for params (rulings 21), and no word in vain. */
const readDirectly = (input: StartInput): { readonly params: unknown; readonly problems: readonly string[] } => {
  const typed: Readonly<Record<string, unknown>> = { ...input }
  const isThere = (key: string): boolean => typed[key] !== undefined && typed[key] !== null
  const words = PARAM_SYNONYMS.filter(isThere)
  const unread = Object.keys(typed).filter((key) => !DIRECT_KEYS.includes(key) && isThere(key))
  return {
    params: words[0] === undefined ? undefined : typed[words[0]],
    problems: [
      ...unread.map((key) => {
        const name = key.slice(0, 100)
        return `Cannot use "${name}": a start knows ${TYPED_KEYS.join(', ')}. ${didYouMean(name, TYPED_KEYS) ?? ''}`.trim()
      }),
      ...(words.length > 1
        ? [`${words.map((word) => `"${word}"`).join(' and ')} mean the same: give only one of them`]
        : []),
    ],
  }
}

const isTable = (value: unknown): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isMode = (value: unknown): value is ExecutionMode => EXECUTION_MODES.some((mode) => mode === value)

const directProblems = (
  input: Omit<StartInput, 'params'> & { readonly params: unknown },
  { definition, policy }: PinnedSop,
  checked: ReturnType<typeof checkParams> | undefined,
): readonly string[] => [
  ...(input.seal === undefined ? [] : ['the seal of the start is not one of this installation']),
  ...(checked?.ok === false ? checked.problems : []),
  ...(input.params === undefined || isTable(input.params) ? [] : ['"params" is not a JSON object']),
  ...(input.executionMode === undefined || isMode(input.executionMode)
    ? []
    : [`"executionMode" is none of ${EXECUTION_MODES.join(', ')}`]),
  ...(checked?.ok === true && checked.secretNames.length > 0
    ? [
        `secret params (${checked.secretNames.join(', ')}) cannot be given to Temporal directly: they would stand in its history; use the API or the CLI`,
      ]
    : []),
  ...(input.skipApproval === true ? ['"skipApproval" needs credentials: start the run over the API or the CLI'] : []),
  ...(input.force === true ? ['"force" needs credentials: start the run over the API or the CLI'] : []),
  ...(isLooser(
    input.executionMode,
    definition.mode ?? policy.defaultMode,
    definition.priority,
    policy.priorityBasedStrict,
  )
    ? ['a looser execution mode needs an admin: start the run over the API or the CLI']
    : []),
]

/** Whether a mode override asks for fewer approvals than the SOP itself (rulings 22). */
export const isLooser = (
  asked: ExecutionMode | undefined,
  own: ExecutionMode,
  priority: PinnedSop['definition']['priority'],
  strict: boolean,
): boolean =>
  isMode(asked) && STRICTNESS[effectiveMode(asked, priority, strict)] < STRICTNESS[effectiveMode(own, priority, strict)]
