import { type Client, isGrpcServiceError, WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import type { SearchAttributePair } from '@temporalio/common'
import { ulid } from 'ulid'
import { type Actor, assertMay, assertMayStart } from '../core/access.ts'
import { sha256Hex } from '../core/canonical.ts'
import type { Json, SopDefinition } from '../core/definition.ts'
import { SopError } from '../core/errors.ts'
import { type CheckedParams, checkParams, type FieldProblem } from '../core/params.ts'
import { PRIORITY_KEYS } from '../core/run/admission.ts'
import { withChildren } from '../core/run/child.ts'
import { RULES_VERSION } from '../core/run/run.ts'
import type { PinnedSop } from '../core/run/run.ts'
import { isLooser, sealedStart, type StartInput } from '../core/run/seed.ts'
import type { RunView } from '../core/run/view.ts'
import { ATTRIBUTE_KEYS, RUN_WORKFLOW, type RunSopInput } from '../workflows/messages.ts'
import type { StartRequest } from './client.ts'
import { isInTemporal, readRun, unavailable, untilListed } from './find-run.ts'
import { FIRST_SIGHT_MS, firstSight, unseen } from './first-sight.ts'
import { hideSecrets } from './hide-secrets.ts'
import type { Pin } from './pin.ts'
import type { Records } from './records.ts'
import type { InstallationKey } from './signing.ts'

export interface StartDeps {
  readonly temporal: Client
  readonly taskQueue: string
  readonly records: Records
  readonly key: InstallationKey
  readonly pin: Pin
}

/** Starts a run and answers with its first view. The rights of the starter are checked here and sealed into the input. */
export const startRun = async (
  deps: StartDeps,
  actor: Actor,
  name: string,
  request: StartRequest,
): Promise<RunView> => {
  assertMay(actor, 'createRun')
  const pinned = await deps.pin.pin(name)
  checkRights(actor, pinned, request)
  const { idempotencyKey: key } = request
  const runId = key === undefined ? newRunId() : keyedRunId(name, 'key', key)
  const { params, secretNames } = checkedParams(pinned, request)
  const input = {
    ...(request.executionMode !== undefined && { executionMode: request.executionMode }),
    ...(request.skipApproval === true && { skipApproval: true }),
    ...(request.force === true && { force: true }),
    trigger: request.trigger ?? { type: 'manual' as const },
    startedBy: actor.principal,
    via: actor.via,
  }
  const start = { runId, pinned, params, secretNames, keyed: key !== undefined, input }
  const isKnown = (await startPinned(deps, start)) === 'known'
  if (request.wait === false) return isKnown ? readRun(deps, runId) : unseen(start)
  const until = Date.now() + FIRST_SIGHT_MS
  const view = await firstSight(deps.temporal, runId, until)
  if (view === undefined) return isKnown ? readRun(deps, runId) : { ...unseen(start), stale: true }
  await untilListed(deps.records, runId, until)
  return view
}

/** A start whose rights and params are checked. */
export interface PinnedStart {
  readonly runId: string
  readonly pinned: PinnedSop
  /** Values of secret ones included; they go to the vault. */
  readonly params: Readonly<Record<string, Json>>
  readonly secretNames: readonly string[]
  /** Its id is one for ever: a run that is there already is not an error. */
  readonly keyed: boolean
  readonly input: Omit<StartInput, 'params' | 'rulesVersion' | 'seal'>
}

/**
 * Starts the run, sealed; durable when fulfilled. `known`: a keyed run was there already.
 *
 * @throws SopError `unavailable` when Temporal cannot be reached, `invalid` when the run is larger than Temporal takes
 */
export const startPinned = async (
  deps: StartDeps,
  { runId, pinned, params, secretNames, keyed, input }: PinnedStart,
): Promise<'started' | 'known'> => {
  // The values of a run that is there must not be replaced by those of its second delivery.
  if (keyed && secretNames.length > 0 && (await isInTemporal(deps.temporal, runId))) return 'known'
  const hidden = await hideSecrets(deps.records, runId, params, secretNames)
  for (const each of withChildren(pinned)) await deps.records.audit.keepDefinition(each)
  const { name } = pinned.definition
  const start = sealed(deps.key, runId, name, { ...input, params: hidden, rulesVersion: RULES_VERSION })
  try {
    await startExecution(deps, runId, { ...start, sop: name, pinned }, keyed)
    return 'started'
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError && keyed) return 'known'
    if (isTooLarge(error)) {
      const reason = 'its definition, params and payload are together larger than Temporal takes'
      throw new SopError('invalid', `Cannot start SOP "${name}": ${reason}`, {}, error)
    }
    throw unavailable(error)
  }
}

/** Temporal refuses a start of more than 2 MB, and a message of more than 4 MB, for good. */
const isTooLarge = (error: unknown): boolean =>
  error instanceof Error && isGrpcServiceError(error.cause ?? error) && TOO_LARGE.test((error.cause as Error).message)
const TOO_LARGE = /Blob data size exceeds limit|message larger than max/i

const checkRights = (actor: Actor, { definition, policy }: PinnedSop, request: StartRequest): void => {
  assertMayStart(actor, request)
  const own = definition.mode ?? policy.defaultMode
  if (isLooser(request.executionMode, own, definition.priority, policy.priorityBasedStrict))
    assertMay(actor, 'loosenMode')
}

export const newRunId = (): string => `sop_run_${ulid().toLowerCase()}`

/** A keyed start has one id for ever, so that a second one finds the first (engine.md 1). `source`: whose key it is. */
export const keyedRunId = (sop: string, source: string, key: string): string =>
  `sop_run_${sha256Hex(JSON.stringify([sop, source, key])).slice(0, 32)}`

const checkedParams = (
  { definition }: PinnedSop,
  { params = {}, trigger }: StartRequest,
): Extract<CheckedParams, { ok: true }> => {
  const checked = checkParams(
    definition.params,
    params,
    trigger === undefined || trigger.type === 'manual' ? 'hand' : 'trigger',
  )
  if (checked.ok) return checked
  throw new SopError('invalid', `Cannot start SOP "${definition.name}": ${checked.problems.join('; ')}`, {
    problems: checked.problems,
    errors: fieldErrors(checked.fields),
  })
}

/** The places of a request that are wrong, as a problem document has them. */
export const fieldErrors = (
  fields: readonly FieldProblem[],
): readonly { readonly path: string; readonly message: string }[] =>
  fields.map(({ name, reason }) => ({ path: `params.${name}`, message: reason }))

const sealed = (key: InstallationKey, runId: string, sop: string, input: StartInput): StartInput => ({
  ...input,
  seal: key.seal(sealedStart(runId, sop, input)),
})

/**
 * Starts an execution for a run: the first one, or one that carries a closed run on. Of several at once one begins.
 *
 * @throws WorkflowExecutionAlreadyStartedError where the run is open, or closed well
 */
export const startExecution = async (
  { temporal, taskQueue }: Pick<StartDeps, 'temporal' | 'taskQueue'>,
  runId: string,
  input: RunSopInput,
  keyed = false,
): Promise<void> => {
  const definition = (input.pinned ?? input.reopen?.run.seed.pinned)?.definition
  await temporal.workflow.start(RUN_WORKFLOW, {
    workflowId: runId,
    taskQueue,
    args: [input],
    workflowIdReusePolicy: keyed ? 'REJECT_DUPLICATE' : 'ALLOW_DUPLICATE_FAILED_ONLY',
    workflowIdConflictPolicy: 'FAIL',
    priority: { priorityKey: PRIORITY_KEYS[definition?.priority ?? 'normal'], fairnessKey: input.sop.slice(0, 64) },
    staticSummary: `${definition?.title ?? input.sop}`.slice(0, 200),
    memo: { sop: input.sop },
    typedSearchAttributes: definition === undefined ? [] : searchAttributes(input, definition),
  })
}

/** What Temporal's list shows from the first moment on, so that the run need not say it again. */
const searchAttributes = (input: RunSopInput, definition: SopDefinition): SearchAttributePair[] => [
  { key: ATTRIBUTE_KEYS.SopName, value: definition.name },
  { key: ATTRIBUTE_KEYS.SopState, value: 'running' },
  { key: ATTRIBUTE_KEYS.SopTrigger, value: (input.reopen?.run.seed ?? input).trigger?.type ?? 'manual' },
  { key: ATTRIBUTE_KEYS.SopDigest, value: (input.reopen?.run.seed ?? input).pinned?.digest ?? '' },
  { key: ATTRIBUTE_KEYS.SopPriority, value: PRIORITY_KEYS[definition.priority] },
]
