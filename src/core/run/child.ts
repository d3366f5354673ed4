import { stepRunOf } from './steps.ts'
import type { Json, Param, SopDefinition, Step } from '../definition.ts'
import { checkParams } from '../params.ts'
import { HIDDEN, vaultName } from '../secret-param.ts'
import type { Work } from './effect.ts'
import type { ChildResult } from './input.ts'
import type { ParentRun, PinnedChild, PinnedSop, Run, RunSeed } from './run.ts'
import type { StartInput } from './seed.ts'
import type { CommandResult } from './task.ts'

// child.ts: an SOP that runs as a step of another one. Its definition was pinned with the parent's.

/** How deep SOPs may run each other. */
export const MAX_DEPTH = 10

/** Outputs that a child may hand up, as JSON in bytes. */
const MAX_CHILD_OUTPUT_BYTES = 256 * 1024

/** The rules under which the first children began. */
const OLDEST_OF_CHILDREN = 3

export type ChildWork = Extract<Work, { kind: 'child' }>

export const isChildWork = (work: Work): work is ChildWork => work.kind === 'child'

/** Every execution of the step has a run of its own, so that its id can be told before it begins. */
export const childRunId = (
  runId: string,
  { step, item, attempt }: { readonly step: number; readonly item?: number; readonly attempt: number },
): string => `${runId}-s${step}${item === undefined ? '' : `i${item}`}-${attempt}`

/** What a worker has to do before a child can start: seal its start, and hand on secret params. */
export interface ChildOrder {
  readonly runId: string
  readonly sop: string
  readonly parentRunId: string
  readonly input: StartInput
  /** Params of the child that get a secret param of the parent: child's name → the parent's name in the vault. */
  readonly secrets?: Readonly<Record<string, string>>
}

/** A child that can be started. */
export interface ChildTask {
  readonly runId: string
  readonly sop: string
  readonly pinned: PinnedSop
  readonly order: ChildOrder
}

export type ChildTaskOr =
  | { readonly ok: true; readonly task: ChildTask }
  | { readonly ok: false; readonly error: string }

/** The task of a piece of child work, or why it cannot be started. */
export const childTask = (run: Run, work: ChildWork): ChildTaskOr => {
  const { seed } = run
  const step = seed.pinned.definition.steps.find(({ number }) => number === work.step)
  if (step?.action.kind !== 'sop') return { ok: false, error: `step ${work.step} runs no SOP` }
  const { sop } = step.action
  const pinned = pinnedChild(seed.pinned, sop)
  if (pinned === undefined) return { ok: false, error: `SOP "${sop}" was not pinned with the run` }
  const params = childParams(run, step.action, pinned.definition, itemOf(run, work))
  if ('error' in params) return { ok: false, error: `Cannot start it: ${params.error}` }
  const runId = childRunId(seed.runId, work)
  const parent: ParentRun = {
    runId: seed.runId,
    workId: work.id,
    stepNumber: work.step,
    ...(work.item !== undefined && { item: work.item }),
    ...(isStartApproved(run) && { isApproved: true }),
  }
  const input: StartInput = {
    params: params.values,
    trigger: { type: 'sop' },
    startedBy: seed.startedBy,
    via: 'engine',
    // By the rules of its parent: those of a newer build would make another child of one that began before.
    rulesVersion: Math.max(OLDEST_OF_CHILDREN, seed.rulesVersion),
    parent,
  }
  const secrets = Object.keys(params.secrets).length > 0 ? { secrets: params.secrets } : {}
  return { ok: true, task: { runId, sop, pinned, order: { runId, sop, parentRunId: seed.runId, input, ...secrets } } }
}

const itemOf = (run: Run, { step, item }: ChildWork): Json | undefined =>
  item === undefined ? undefined : stepRunOf(run, step)?.items?.list[item - 1]

/** The params of the child, checked against what it declares. */
const childParams = (
  run: Run,
  action: Extract<Step['action'], { kind: 'sop' }>,
  { params: declared = [] }: SopDefinition,
  item: Json | undefined,
): Filled | { readonly error: string } => {
  const filled = fillParams(run, action, item)
  if ('error' in filled) return filled
  const { values, secrets } = filled
  const plain = Object.keys(values).find((name) =>
    declared.some((param) => param.name === name && param.secret === true),
  )
  if (plain !== undefined) return { error: `its param "${plain}" is secret: hand a secret param of this SOP on` }
  const open = Object.keys(secrets).find(
    (name) => !declared.some((param) => param.name === name && param.secret === true),
  )
  if (open !== undefined) return { error: `its param "${open}" gets a secret, and does not declare secret = true` }
  // What a secret param holds is not known here: whatever is there will do.
  const lenient = declared.map(
    (param): Param => (secrets[param.name] === undefined ? param : { name: param.name, type: 'string', secret: true }),
  )
  const marks = Object.fromEntries(Object.keys(secrets).map((name) => [name, HIDDEN]))
  const checked = checkParams(lenient, { ...values, ...marks }, 'hand')
  return checked.ok ? { values: checked.params, secrets } : { error: checked.problems.join('; ') }
}

/** The child as far as it is known before the run: what a plan tells of it. `open` params come only with the run. */
export const childSeed = (
  run: Run,
  action: Extract<Step['action'], { kind: 'sop' }>,
): { readonly seed: RunSeed; readonly open: readonly string[] } | undefined => {
  const pinned = pinnedChild(run.seed.pinned, action.sop)
  if (pinned === undefined) return undefined
  const values: Record<string, Json> = {}
  const open: string[] = []
  for (const [name, value] of Object.entries(action.with ?? {})) {
    const filled = fillParams(run, { ...action, with: { [name]: value } }, undefined)
    if ('error' in filled) open.push(name)
    else Object.assign(values, filled.values, Object.keys(filled.secrets).length > 0 && { [name]: HIDDEN })
  }
  const checked = checkParams(
    (pinned.definition.params ?? []).filter(({ name }) => !open.includes(name)),
    values,
    'hand',
  )
  const isApproved = run.mode === 'supervised' || run.seed.parent?.isApproved === true
  const seed: RunSeed = {
    ...run.seed,
    pinned,
    params: checked.ok ? checked.params : values,
    trigger: { type: 'sop' },
    parent: { runId: run.seed.runId, workId: '', stepNumber: 0, ...(isApproved && { isApproved: true }) },
  }
  const { mode: _, ...rest } = seed
  return { seed: rest, open }
}

/** Whether somebody let this run begin, who was shown the SOPs that it runs. */
const isStartApproved = (run: Run): boolean =>
  run.gates['start']?.state === 'passed' || run.seed.parent?.isApproved === true

/** The child as a run of its own carries it: with those of its own children, and nothing of the others. */
export const pinnedChild = (pinned: PinnedSop, name: string): PinnedSop | undefined => {
  const { children = {}, authority, policy, rulesVersion } = pinned
  const child = children[name]
  if (child === undefined) return undefined
  const below = Object.fromEntries(namesBelow(children, name).map((each) => [each, children[each] as PinnedChild]))
  return {
    ...child,
    authority,
    policy,
    ...(rulesVersion !== undefined && { rulesVersion }),
    ...(Object.keys(below).length > 0 && { children: below }),
  }
}

/** An SOP as it is pinned, and all that it runs. */
export const withChildren = (pinned: PinnedSop): readonly PinnedSop[] => [
  pinned,
  ...Object.keys(pinned.children ?? {}).flatMap((name) => pinnedChild(pinned, name) ?? []),
]

/** Names of the SOPs that a definition runs, each once. */
export const runsSops = ({ steps }: { readonly steps: readonly Pick<Step, 'action'>[] }): readonly string[] => [
  ...new Set(steps.flatMap(({ action }) => (action.kind === 'sop' ? [action.sop] : []))),
]

const namesBelow = (children: Readonly<Record<string, PinnedChild>>, name: string): readonly string[] => {
  const found = new Set<string>()
  const open = [name]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const definition = children[next]?.definition
    for (const below of definition === undefined ? [] : runsSops(definition)) {
      if (found.has(below) || children[below] === undefined) continue
      found.add(below)
      open.push(below)
    }
  }
  return [...found]
}

interface Filled {
  readonly values: Readonly<Record<string, Json>>
  readonly secrets: Readonly<Record<string, string>>
}

const WHOLE = /^\$(?:([A-Za-z_]\w*)|\{\s*([\w-]+)\s*\})$|^\{\{\s*([\w-]+)\s*\}\}$/
const PART = /\$\$|\$(?:([A-Za-z_]\w*)|\{\s*([\w-]+)\s*\})|\{\{\s*([\w-]+)\s*\}\}/g

/**
 * The params of the child: `$name`, `${name}` or `{{name}}` take a param, an output or `item`. One that is a whole text
 * keeps its type; `$$` is a dollar sign. A secret param can only be handed on whole, since its value is not known here.
 */
const fillParams = (
  run: Run,
  action: Extract<Step['action'], { kind: 'sop' }>,
  item: Json | undefined,
): Filled | { readonly error: string } => {
  const secretNames = new Set(
    (run.seed.pinned.definition.params ?? []).filter(({ secret }) => secret === true).map(({ name }) => name),
  )
  const known: Readonly<Record<string, Json>> = {
    ...run.outputs,
    ...run.seed.params,
    ...(item !== undefined && { item }),
  }
  const secrets: Record<string, string> = {}
  let error: string | undefined
  const valueOf = (name: string, written: string): Json => {
    const key = Object.hasOwn(known, name)
      ? name
      : Object.keys(known).find((each) => each.replaceAll('-', '_') === name)
    if (key === undefined) {
      error ??= `nothing sets "${name}" (written as "${written}" in "with")`
      return ''
    }
    if (secretNames.has(key)) {
      error ??= `secret param "${key}" can only be handed on whole, as in with = { ${key} = "$${key}" }`
    }
    return known[key] as Json
  }
  const fill = (value: Json): Json => {
    if (typeof value === 'string') return fillText(value, valueOf)
    if (Array.isArray(value)) return (value as readonly Json[]).map(fill)
    return typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fill(each)]))
      : value
  }
  const values: Record<string, Json> = {}
  for (const [name, value] of Object.entries(action.with ?? {})) {
    const whole = typeof value === 'string' ? WHOLE.exec(value.trim()) : null
    const reference = whole === null ? undefined : (whole[1] ?? whole[2] ?? whole[3])
    if (reference !== undefined && secretNames.has(reference)) {
      secrets[name] = vaultName(reference, run.seed.params[reference])
    } else values[name] = fill(value)
  }
  return error === undefined ? { values, secrets } : { error }
}

const fillText = (text: string, valueOf: (name: string, written: string) => Json): Json => {
  const whole = WHOLE.exec(text.trim())
  const name = whole === null ? undefined : (whole[1] ?? whole[2] ?? whole[3])
  if (name !== undefined) return valueOf(name, text.trim())
  return text.replace(PART, (written: string, bare?: string, braced?: string, curly?: string) => {
    if (written === '$$') return '$'
    const value = valueOf(bare ?? braced ?? curly ?? '', written)
    return typeof value === 'string' ? value : JSON.stringify(value)
  })
}

/** How the step that ran a child ended, in the words of a command's result. */
export const childCommandResult = (
  step: Step,
  runId: string,
  { startedAt, timedOut }: { readonly startedAt?: string; readonly timedOut?: string },
  { outcome, outputs = {}, reason }: ChildResult,
  at: string,
): CommandResult => {
  const sop = step.action.kind === 'sop' ? step.action.sop : step.title
  const bytes = JSON.stringify(outputs).length
  const isTooLarge = outcome === 'ok' && bytes > MAX_CHILD_OUTPUT_BYTES
  const error = isTooLarge
    ? `its outputs have ${bytes} bytes as JSON, and a step hands on at most ${MAX_CHILD_OUTPUT_BYTES}`
    : `${reason ?? `it was ${outcome}`} (run ${runId})`
  // One that came to its end all the same has done what the step is for.
  const isOk = outcome === 'ok' && !isTooLarge
  const isLate = !isOk && timedOut !== undefined
  const verdict = isLate
    ? `was ended: ${timedOut} (run ${runId})`
    : outcome === 'cancelled'
      ? `was cancelled: ${error}`
      : `failed: ${error}`
  return {
    // A child that somebody cancelled has not done what the step is for; a cancel of this run is told by its own state.
    outcome: isOk ? 'ok' : isLate ? 'timed_out' : outcome === 'cancelled' ? 'cancelled' : 'failed',
    ...(!isOk && { error: `SOP "${sop}" ${verdict}` }),
    durationMs: Math.max(0, Date.parse(at) - Date.parse(startedAt ?? at)),
    output: '',
    outputs: isOk ? outputs : {},
    logBytes: 0,
    ackedSeq: 0,
  }
}
