// admission.ts — the one place where slots and cooldowns are kept (engine.md 2). Runs ask by signal and are answered by
// signal. Invariants: handlers come first; the state changes only in take(); nothing is under way at continue-as-new.

import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  getExternalWorkflowHandle,
  proxyActivities,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow'
import type { Activities } from '../activities/index.ts'
import {
  type AdmissionAnswer,
  type AdmissionInput,
  type AdmissionRequest,
  type AdmissionState,
  admit,
  EMPTY_ADMISSION,
} from '../core/admission.ts'
import { bookkeepingOptions } from './activity-options.ts'
import { ADMISSION_RELEASE, ADMISSION_REQUEST, ADMISSION_VERDICT } from './messages.ts'
import { observe } from './observed.ts'

/** Events of history after which it hands over to its next execution. */
const LONG_HISTORY = 3_000
/** How often it asks whether holders are still there: a terminated run releases nothing. */
const RECONCILE_MS = 60_000

const requestSignal = defineSignal<[AdmissionRequest]>(ADMISSION_REQUEST)
const releaseSignal = defineSignal<[{ readonly runId: string }]>(ADMISSION_RELEASE)
const verdictSignal = defineSignal<[AdmissionAnswer]>(ADMISSION_VERDICT)
const queueQuery = defineQuery<AdmissionState>('queue')

/** Keeps slots and cooldowns for all runs of a namespace. Never ends by itself. */
export async function sopAdmission(carried: AdmissionState = EMPTY_ADMISSION): Promise<void> {
  let state = carried
  let inputs: readonly AdmissionInput[] = []
  let answering = 0
  setHandler(requestSignal, (request) => {
    if (isRequest(request)) inputs = [...inputs, { kind: 'request', request }]
  })
  setHandler(releaseSignal, (argument) => {
    if (typeof argument?.runId === 'string') inputs = [...inputs, { kind: 'release', runId: argument.runId }]
  })
  setHandler(queueQuery, () => state)
  observe(() => ({ of: 'admission', state }))

  const answer = async ({ runId, ...verdict }: AdmissionAnswer): Promise<void> => {
    answering += 1
    try {
      await getExternalWorkflowHandle(runId).signal(verdictSignal, { runId, ...verdict })
    } catch {
      // The run is gone: what it held is free again.
      inputs = [...inputs, { kind: 'release', runId }]
    } finally {
      answering -= 1
    }
  }
  const take = (input: AdmissionInput): string | undefined => {
    const admitted = admit(state, input, new Date(Date.now()).toISOString())
    state = admitted.state
    for (const each of admitted.answers) void answer(each)
    return admitted.wakeAt
  }
  const isLong = (): boolean => workflowInfo().historyLength > LONG_HISTORY || workflowInfo().continueAsNewSuggested

  let wakeAt: string | undefined = take({ kind: 'wake' })
  for (;;) {
    const woken = await condition(() => inputs.length > 0, pauseMs(wakeAt))
    const batch: readonly AdmissionInput[] = woken ? inputs : [{ kind: 'wake' }, ...(await goneHolders(state))]
    if (woken) inputs = []
    for (const input of batch) wakeAt = take(input)
    if (!isLong() || inputs.length > 0) continue
    await condition(() => answering === 0)
    if (inputs.length === 0) return continueAsNew<typeof sopAdmission>(state)
  }
}

// One execution serves runs of every build, and never ends: it moves along with whatever build is the current one.
// A worker without a deployment must not say so: the server refuses its task, and no run would ever get a slot.
setWorkflowOptions(() => (isVersioned() ? { versioningBehavior: 'AUTO_UPGRADE' } : {}), sopAdmission)

const isVersioned = (): boolean => (workflowInfo().currentDeploymentVersion?.deploymentName ?? '') !== ''

const pauseMs = (wakeAt: string | undefined): number =>
  wakeAt === undefined ? RECONCILE_MS : Math.min(RECONCILE_MS, Math.max(1, Date.parse(wakeAt) - Date.now()))

const goneHolders = async ({ holders, waiting }: AdmissionState): Promise<readonly AdmissionInput[]> => {
  const runIds = [...holders, ...waiting].map(({ runId }) => runId)
  if (runIds.length === 0) return []
  const { findGone } = proxyActivities<Activities>(bookkeepingOptions('Look whether the runs are still there'))
  return (await findGone({ runIds })).map((runId) => ({ kind: 'release', runId }))
}

/** Signals come from whoever reaches Temporal: one that is not a request is passed over. */
const isRequest = (value: AdmissionRequest | undefined): value is AdmissionRequest =>
  typeof value?.runId === 'string' &&
  typeof value.sop === 'string' &&
  (value.phase === 'arrival' || value.phase === 'slot') &&
  typeof value.priority === 'number' &&
  typeof value.cooldownMs === 'number' &&
  !Number.isNaN(Date.parse(value.triggeredAt))
