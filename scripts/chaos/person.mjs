// person.mjs: an operator with patience. Answers what waits, sends again what got no answer, under one decisionId for one
// question, and remembers every answer that came.

import { readFile } from 'node:fs/promises'
import { processesWith } from './processes.mjs'
import { createRandom } from './random.mjs'

/** A decision that got no firm answer is sent again after this time. */
const PATIENCE_MS = 1_500
/** How often a firm answer is asked for once more, to see that it stays the same. */
const DOUBT = 0.2
/** Refusals of one run in a row after which it is cancelled. */
const FED_UP = 12

/**
 * @param {{ api: ReturnType<typeof import('./http.mjs').createApi>, ledger: string, seed: number | string, note: (text: string) => void }} options
 */
export const createPerson = ({ api, ledger, seed, note }) => {
  /** @type {Map<string, { runId: string, kind: string, decisionId: string, answers: object[], sentAt: number, isSettled: boolean }>} */
  const sent = new Map()
  /** What the person has in mind about a run. @type {Map<string, { random: ReturnType<typeof createRandom>, refusals: number, pauses: number, busy: boolean, isPausing: boolean }>} */
  const minds = new Map()
  let isClosing = false

  const mindOf = (runId, key) => {
    const known = minds.get(runId)
    if (known !== undefined) return known
    const mind = {
      random: createRandom(`${seed}-${key ?? runId}`),
      refusals: 0,
      pauses: 0,
      busy: false,
      isPausing: false,
    }
    minds.set(runId, mind)
    return mind
  }

  /** @returns whether it was accepted; undefined where that is not known */
  const send = async (runId, kind, question, body = {}) => {
    const decisionId = `${kind}-${runId}-${question}`
    const known = sent.get(decisionId)
    const decision = known ?? { runId, kind, decisionId, answers: [], sentAt: 0, isSettled: false }
    sent.set(decisionId, decision)
    if (decision.isSettled || Date.now() - decision.sentAt < PATIENCE_MS) return undefined
    decision.sentAt = Date.now()
    const mind = mindOf(runId)
    const times = mind.random.chance(DOUBT) ? 2 : 1
    let verdict
    for (let time = 0; time < times; time++) {
      const answer = await api.post(`/api/v1/runs/${runId}/${kind}`, { ...body, decisionId })
      const read = answer === undefined ? undefined : readAnswer(answer)
      if (read === undefined) continue
      decision.answers.push(read)
      if (read.stored !== true) decision.isSettled = true
      if (!read.accepted) {
        mind.refusals += 1
        note(`${kind} ${decisionId} was refused: ${answer.json?.detail}`)
      }
      verdict = read.accepted
    }
    return verdict
  }

  /** Whether anything of the run still runs on this host. @param {string} runId */
  const isUnderWay = async (runId) => (await processesWith(`SOP_RUN_ID=${runId}`)).length > 0

  const tookEffect = async (runId, work, attempt) => {
    const text = await readFile(ledger, 'utf8').catch(() => '')
    return text.split('\n').some((line) => line.startsWith(`${runId} ${work} ${attempt} `))
  }

  const resolveUnknown = async (run, step) => {
    if (await isUnderWay(run.runId)) return
    const question = `${step.number}-${step.attempt}-${run.sequence}`
    if (await tookEffect(run.runId, `step:${step.number}`, step.attempt)) {
      await send(run.runId, 'complete', question, { step: step.number, comment: 'it ran: the ledger has it' })
    } else {
      await send(run.runId, 'retry', question, { step: step.number, outcome: 'did_not_run', comment: 'it did not run' })
    }
  }

  /** Those that ran are told one by one; what is left did not run. */
  const resolveItems = async (run, { number, items }) => {
    if (await isUnderWay(run.runId)) return
    for (const { item, attempt, status } of items.shown) {
      if (status !== 'unknown' || !(await tookEffect(run.runId, `step:${number}[${item}]`, attempt))) continue
      await send(run.runId, 'complete', `${number}-${item}-${attempt}-${run.sequence}`, { step: number, item })
      return
    }
    await send(run.runId, 'retry', `${number}-items-${run.sequence}`, { step: number, outcome: 'did_not_run' })
  }

  /** The walk back stands at a step: either its undo is lost or failed, or nobody knows whether the step ran. */
  const answerWalk = async (run, number) => {
    if (await isUnderWay(run.runId)) return
    const step = run.stepResults.find((each) => each.number === number)
    const wasTried = (await effectsOf(run.runId, `rollback:${number}`)) > 0
    const isToUndo = !wasTried && (await effectsOf(run.runId, `step:${number}`)) > 0
    await send(run.runId, isToUndo ? 'retry' : 'skip', `walk-${number}-${step?.attempt}-${run.sequence}`, {
      step: number,
    })
  }

  const effectsOf = async (runId, work) => {
    const text = await readFile(ledger, 'utf8').catch(() => '')
    return text.split('\n').filter((line) => line.startsWith(`${runId} ${work} `)).length
  }

  const answerPause = async (run, mind) => {
    if (run.paused?.kind === 'rollback') return answerWalk(run, run.paused.stepNumber)
    const unknown = run.stepResults.find(({ status }) => status === 'unknown')
    if (unknown !== undefined) return resolveUnknown(run, unknown)
    const each = run.stepResults.find(({ items }) => items?.unknown > 0)
    if (each !== undefined) return resolveItems(run, each)
    const failed = run.stepResults.find(({ status }) => status === 'failed')
    if (mind.isPausing || run.paused?.kind === 'requested') {
      const accepted = await send(run.runId, 'resume', `${mind.pauses}-${run.sequence}`)
      if (accepted !== undefined) mind.isPausing = false
      return undefined
    }
    if (failed !== undefined && mind.random.chance(0.2)) {
      return send(run.runId, 'skip', `${failed.number}-${failed.attempt}-${run.sequence}`, {
        step: failed.number,
        reason: 'not needed',
      })
    }
    const accepted = await send(
      run.runId,
      'retry',
      `${run.sequence}`,
      failed === undefined ? {} : { step: failed.number },
    )
    // A pause whose answer never came.
    if (accepted === false) mind.isPausing = true
    return undefined
  }

  const answerGates = async (run, mind) => {
    if (
      run.sopName === 'undone' &&
      run.openGates.length > 0 &&
      (mind.wish ??= mind.random.chance(0.7) ? 'undo' : 'go on') === 'undo'
    ) {
      await send(run.runId, 'cancel', 'undo', { reason: 'undo it', rollback: true })
      return
    }
    for (const { gate, attempt, deadlineAt } of run.openGates) {
      // Timers have their turn, too.
      if (deadlineAt !== undefined && !mind.random.chance(0.1)) continue
      const isRejected = attempt === 1 && mind.random.chance(0.1)
      const kind = isRejected && !sent.has(`approve-${run.runId}-${gate}-${attempt}`) ? 'reject' : 'approve'
      if (sent.has(`reject-${run.runId}-${gate}-${attempt}`) && kind === 'approve') {
        await send(run.runId, 'reject', `${gate}-${attempt}`, { gate, attempt })
      } else await send(run.runId, kind, `${gate}-${attempt}`, { gate, attempt })
    }
  }

  const attend = async (run) => {
    const mind = mindOf(run.runId)
    if (mind.busy) return
    mind.busy = true
    try {
      if (mind.refusals > FED_UP)
        await send(run.runId, 'cancel', `fed-up-${mind.refusals}`, { reason: 'it takes no answer' })
      else if (run.status === 'paused') await answerPause(run, mind)
      else await attendOpen(run, mind)
    } finally {
      mind.busy = false
    }
  }

  const attendOpen = async (run, mind) => {
    await answerGates(run, mind)
    for (const { stepNumber } of run.openInputs) {
      await send(run.runId, 'complete', `${stepNumber}-${run.sequence}`, {
        step: stepNumber,
        values: { ticket: 'OPS-1' },
      })
    }
    if (isClosing || run.status !== 'running') return
    if (mind.random.chance(run.sopName === 'pausing' ? 1 : 0.02) && mind.pauses < (run.sopName === 'pausing' ? 1 : 2)) {
      mind.pauses += 1
      mind.isPausing = true
      await send(run.runId, 'pause', `${mind.pauses}`, { reason: 'wait a moment' })
    } else if (mind.random.chance(0.004)) await send(run.runId, 'cancel', 'wish', { reason: 'not wanted any more' })
  }

  return {
    /** Looks once at everything that is open. @returns {Promise<number | undefined>} how many runs are open, undefined where nobody answers */
    look: async () => {
      const listed = await api.get('/api/v1/runs?state=open&limit=1000')
      if (listed?.status !== 200) return undefined
      const views = await Promise.all(
        listed.json.runs.map(({ runId }) => api.get(`/api/v1/runs/${encodeURIComponent(runId)}`)),
      )
      await Promise.all(
        views.filter((view) => view?.status === 200 && view.json.stale !== true).map(({ json }) => attend(json)),
      )
      return listed.json.runs.length
    },
    /** From now on nothing is paused or cancelled any more. */
    finish: () => {
      isClosing = true
    },
    decisions: () =>
      [...sent.values()].map(({ runId, kind, decisionId, answers }) => ({ runId, kind, decisionId, answers })),
  }
}

/** Undefined where it says nothing about the decision: the engine was not there. */
const readAnswer = ({ status, json }) => {
  if (status === 200) return { status, accepted: true }
  if (status === 202) return { status, accepted: true, stored: true }
  if (json?.reply !== undefined || status === 409) return { status, accepted: false, reason: json?.detail }
  return undefined
}
