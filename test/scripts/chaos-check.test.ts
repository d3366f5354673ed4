import { describe, expect, test } from 'vitest'
import { checkEvidence } from '../../scripts/chaos/check.mjs'
import type { Evidence, RunEvidence, Violation } from '../../scripts/chaos/evidence.d.ts'
import { sha256Hex } from '../../src/adapters/shared/native-hash.ts'
import { chainEvent, GENESIS_HASH, verifyChain } from '../../src/core/audit-chain.ts'
import { fold } from '../../src/core/run/evolve.ts'
import type { RecordedEvent, RunEvent } from '../../src/core/run/event.ts'
import { viewOf } from '../../src/core/run/view.ts'
import { sopOf } from '../support/definitions.ts'
import { failed, ok, Play } from '../support/play.ts'

// The checker of `npm run chaos` against evidence in which one thing is wrong. The good evidence is a run that the
// rules themselves made: a step, a gate, a step that is unknown and tried again by a person.

const RUN = 'sop_run_test'

const chained = (events: readonly RunEvent[]): RecordedEvent[] =>
  events.reduce<RecordedEvent[]>(
    (record, event) => [...record, chainEvent(event, record.at(-1)?.hash ?? GENESIS_HASH, sha256Hex)],
    [],
  )

const verify = (record: readonly RecordedEvent[], runId: string) => verifyChain(record, sha256Hex, { runId })
const check = (evidence: Evidence): readonly Violation[] => checkEvidence(evidence, verify)

const definition = sopOf({
  name: 'shapes',
  mode: 'supervised',
  steps: [{ title: 'Build', retries: 1 }, { title: 'Deploy', requiresApproval: true }, { title: 'Tell' }],
})

/** A run whose first step fails once, whose second passed a gate, and whose third was retried by a person. */
const played = (): Play => {
  const play = new Play(definition).start()
  play.decide('approve', { gate: 'start', attempt: 1, decisionId: 'd-start' })
  play.wait(1000).ends(failed())
  play.wait(60_000).ends(ok({ output: 'effect step:1 2\n' }))
  play.decide('approve', { gate: '2-deploy', attempt: 1, decisionId: 'd-deploy' })
  play.wait(1000).ends(ok())
  play.wait(1000).ends(failed())
  play.decide('retry', { step: 3, decisionId: 'd-retry' })
  play.wait(1000).ends(ok())
  expect(play.state).toBe('completed')
  return play
}

const at = (events: readonly RunEvent[], type: string, step: number, attempt: number): number =>
  Date.parse(
    events.find(
      (event) =>
        event.eventType === type &&
        event.stepNumber === step &&
        'attempt' in event.details &&
        event.details.attempt === attempt,
    )?.timestamp ?? '',
  )

const DIED = 'its worker died or was cut off, and its host gave no answer'

/** A step that was done for two items. */
const itemsPlay = (): Play => {
  const each = sopOf({ name: 'shapes', steps: [{ title: 'Patch', forEach: ['a', 'b'] }] })
  const play = new Play(each).start()
  play.ends(ok(), 'step:1[1]#1')
  play.ends(ok(), 'step:1[2]#1')
  expect(play.state).toBe('completed')
  return play
}

const goodRun = (): RunEvidence => {
  const { events, seed } = played()
  const record = chained(events)
  const view = viewOf(fold(seed, record))
  const step = (number: number, needs: readonly number[]) => ({
    number,
    kind: 'shell',
    idempotent: false,
    marks: true,
    hasGate: number === 2,
    needs,
  })
  return {
    runId: RUN,
    sop: 'shapes',
    steps: [step(1, []), step(2, [1]), step(3, [2])],
    record,
    forks: 0,
    folded: view,
    shown: view,
    listed: { status: 'completed', sequence: record.length },
    history: {
      carried: [events.slice(0, 5), events.slice(3)],
      commands: [
        { work: 'step:1', attempt: 1, outcome: 'failed' },
        { work: 'step:1', attempt: 2, outcome: 'ok' },
        { work: 'step:2', attempt: 1, outcome: 'ok' },
        { work: 'step:3', attempt: 1, outcome: 'failed' },
        { work: 'step:3', attempt: 2, outcome: 'ok' },
      ],
      decisionIds: ['d-start', 'd-deploy', 'd-retry'],
      timersFired: 1,
      probes: 0,
      status: 'COMPLETED',
    },
    logs: [{ work: 'step:1', attempt: 2, text: 'effect step:1 2\n' }],
  }
}

const good = (): Evidence => {
  const run = goodRun()
  const effect = (step: number, attempt: number) => ({
    runId: RUN,
    work: `step:${step}`,
    attempt,
    at: at(run.record, 'step_started', step, attempt) + 10,
  })
  const sent = (kind: string, decisionId: string) => ({
    runId: RUN,
    kind,
    decisionId,
    answers: [{ status: 200, accepted: true }],
  })
  return {
    ledger: [effect(1, 1), effect(1, 2), effect(2, 1), effect(3, 1), effect(3, 2)],
    starts: [{ key: 'k1', sop: 'shapes', runIds: [RUN, RUN] }],
    decisions: [sent('approve', 'd-start'), sent('approve', 'd-deploy'), sent('retry', 'd-retry')],
    runs: [run],
    processes: [],
    failures: [],
    slots: [],
  }
}

const withRun = (change: (run: RunEvidence) => Partial<RunEvidence>): Evidence => {
  const evidence = good()
  return { ...evidence, runs: evidence.runs.map((run) => ({ ...run, ...change(run) })) }
}
const withHistory = (change: (history: NonNullable<RunEvidence['history']>) => object): Evidence =>
  withRun(({ history }) => ({ history: { ...history, ...change(history as NonNullable<typeof history>) } as never }))

/** The record without the events of a kind, chained anew as a forger would. */
const without = (type: string): Evidence =>
  withRun(({ record }) => {
    const left = record
      .filter(({ eventType }) => eventType !== type)
      .map((event, index) => ({ ...event, sequence: index + 1 }))
    return { record: chained(left) }
  })

const kinds = (evidence: Evidence): readonly string[] => [...new Set(check(evidence).map(({ kind }) => kind))].sort()
const messages = (evidence: Evidence): string =>
  check(evidence)
    .map(({ message }) => message)
    .join('\n')

test('checkEvidence() finds nothing in a run that went well', () => {
  expect(check(good())).toEqual([])
})

describe('checkEvidence() finds', () => {
  test('an execution that took effect twice', () => {
    const evidence = good()
    const doubled = { ...evidence, ledger: [...evidence.ledger, ...evidence.ledger.slice(2, 3)] }
    expect(kinds(doubled)).toEqual(['effect'])
    expect(messages(doubled)).toBe('step:2#1 took effect 2 times')
  })

  test('a step that is done on record and left no effect', () => {
    const evidence = good()
    const lost = { ...evidence, ledger: evidence.ledger.filter(({ work }) => work !== 'step:2') }
    expect(messages(lost)).toBe('step:2#1 is done on record, and left no effect')
  })

  test('an effect that the record knows nothing of', () => {
    const evidence = good()
    const more = {
      ...evidence,
      ledger: [...evidence.ledger, { runId: RUN, work: 'step:2', attempt: 7, at: Date.now() }],
    }
    expect(messages(more)).toBe('step:2#7 took effect, and the record has no such start')
  })

  test('a step that was begun again though nobody said what became of it', () => {
    const lost = withRun(({ record }) => ({
      record: chained(
        record.map((event) =>
          event.eventType === 'step_failed' && event.stepNumber === 1
            ? { ...event, details: { ...event.details, outcome: 'lost' } }
            : event,
        ),
      ),
    }))
    expect(
      messages({
        ...lost,
        runs: lost.runs.map(({ record, ...run }) => ({
          ...run,
          record: record.filter(({ eventType }) => eventType !== 'run_retried'),
        })),
      }),
    ).toContain('step:1#2 took effect again, and nobody said what became of attempt 1')
  })

  test('but not one that is idempotent', () => {
    const evidence = withRun(({ record, steps }) => ({
      steps: steps.map((step) => ({ ...step, idempotent: true })),
      record: record.map((event) =>
        event.eventType === 'step_failed' && event.stepNumber === 1
          ? { ...event, details: { ...event.details, outcome: 'lost' } }
          : event,
      ),
    }))
    expect(messages(evidence)).not.toContain('took effect again')
  })

  test('a step that was begun again after it was done', () => {
    const evidence = good()
    const again = withRun(({ record }) => {
      const second = record.find(({ eventType, stepNumber }) => eventType === 'step_started' && stepNumber === 2)
      const index = record.findIndex(({ eventType, stepNumber }) => eventType === 'step_completed' && stepNumber === 2)
      const repeated = { ...second, details: { ...second?.details, attempt: 2 } } as RunEvent
      return { record: chained([...record.slice(0, index + 1), repeated, ...record.slice(index + 1)]) }
    })
    expect(
      messages({ ...again, ledger: [...evidence.ledger, { runId: RUN, work: 'step:2', attempt: 2, at: Date.now() }] }),
    ).toContain('step:2#2 took effect again after attempt 1 was done')
  })

  test('an effect before its gate was opened', () => {
    const evidence = good()
    const early = {
      ...evidence,
      ledger: evidence.ledger.map((each) => (each.work === 'step:2' ? { ...each, at: each.at - 120_000 } : each)),
    }
    expect(kinds(early)).toEqual(['order'])
    expect(messages(early)).toContain('step 2 took effect before its gate was opened')
    expect(messages(without('approval_granted'))).toContain('step 2 took effect, and its gate was never opened')
  })

  test('an effect before what it waits for was done', () => {
    const evidence = good()
    const early = {
      ...evidence,
      ledger: evidence.ledger.map((each) => (each.work === 'step:3' ? { ...each, at: each.at - 2_000 } : each)),
    }
    expect(messages(early)).toContain('step 3 took effect before step 2 had ended')
  })

  test('a decision that was acknowledged and is not in effect', () => {
    expect(kinds(without('approval_granted'))).toContain('decision')
    expect(messages(without('approval_granted'))).toContain('approve d-deploy was acknowledged, and is not in effect')
  })

  test('a decision that took effect twice, and a gate that was decided twice', () => {
    const twice = withRun(({ record }) => {
      const index = record.findIndex(({ eventType }) => eventType === 'approval_granted')
      return { record: chained([...record.slice(0, index + 1), record[index] as RunEvent, ...record.slice(index + 1)]) }
    })
    expect(messages(twice)).toContain('approve d-start took effect 2 times')
    expect(messages(twice)).toContain('gate start#1 was decided 2 times')
  })

  test('a decision that was answered in two ways, refused and in effect, or sent by nobody', () => {
    const evidence = good()
    const answered = (...accepted: boolean[]): Evidence => ({
      ...evidence,
      decisions: evidence.decisions.map((each) => ({
        ...each,
        answers: accepted.map((is) => ({ status: is ? 200 : 409, accepted: is })),
      })),
    })
    expect(messages(answered(true, false))).toContain('was answered differently when it was sent again')
    expect(messages(answered(false))).toContain('was refused, and took effect all the same')
    expect(messages({ ...evidence, decisions: [] })).toContain('by decision d-deploy, which nobody sent')
  })

  test('a stored decision that is neither in effect nor refused', () => {
    const stored = without('approval_granted')
    expect(
      messages({
        ...stored,
        decisions: stored.decisions.map((each) => ({
          ...each,
          answers: [{ status: 202, accepted: true, stored: true }],
        })),
      }),
    ).toContain('approve d-deploy was stored, and is neither in effect nor refused on record')
  })

  test('an event of the record that was edited, is missing, doubled or contradicted', () => {
    expect(
      messages(
        withRun(({ record }) => ({
          record: record.map((event) => (event.sequence === 4 ? { ...event, via: 'cli' as const } : event)),
        })),
      ),
    ).toContain('event 4 was changed')
    expect(messages(withRun(({ record }) => ({ record: record.filter(({ sequence }) => sequence !== 4) })))).toContain(
      'event 4 is missing',
    )
    expect(messages(withRun(({ record }) => ({ record: [...record.slice(0, 4), ...record.slice(3)] })))).toContain(
      'event 4 stands after event 4',
    )
    expect(messages(withRun(() => ({ forks: 1 })))).toContain('1 events contradict its record')
    expect(messages(withRun(() => ({ record: [] })))).toContain('it has no record')
  })

  test('a run that did not end, that ended twice, or that went on after its end', () => {
    const cut = withRun(({ record }) => ({ record: record.slice(0, -1) }))
    expect(kinds(cut)).toContain('stuck')
    const twice = withRun(({ record }) => ({
      record: chained(
        [...record, record.at(-1) as RunEvent].map((event, index) => ({ ...event, sequence: index + 1 })),
      ),
    }))
    expect(messages(twice)).toContain('it ended 2 times')
    const after = withRun(({ record }) => ({
      record: chained([...record, { ...(record[1] as RunEvent), sequence: record.length + 1 }]),
    }))
    expect(messages(after)).toContain('follows its end')
  })

  test('a record that history contradicts', () => {
    const other = { sequence: 3, timestamp: 'then' }
    expect(
      messages(
        withHistory(({ carried }) => ({
          carried: [carried[0]?.map((event) => (event.sequence === 3 ? { ...event, ...other } : event)), carried[1]],
        })),
      ),
    ).toContain('event 3 is another one in history')
    expect(
      messages(withHistory(({ carried }) => ({ carried: [carried[0]?.slice(0, 3), carried[1]?.slice(1)] }))),
    ).toContain('event 4 is on record, and history does not know it')
    expect(
      messages(
        withHistory(({ carried }) => ({
          carried: [[...(carried[0] ?? []).slice(0, 2), ...(carried[0] ?? []).slice(3)], carried[1]],
        })),
      ),
    ).toContain('a batch goes from event 2 to 4')
    expect(
      messages(
        withHistory(({ carried }) => ({
          carried: [
            carried[0]?.map((event) => (event.sequence === 5 ? { ...event, ...other, sequence: 5 } : event)),
            carried[1],
          ],
        })),
      ),
    ).toContain('event 5 left the workflow with two contents')
    const more = { ...(good().runs[0]?.record[0] as RunEvent), sequence: 99 }
    expect(messages(withHistory(({ carried }) => ({ carried: [...carried, [more]] })))).toContain(
      'event 99 is in history, and not on record',
    )
    expect(messages(withHistory(() => ({ status: 'FAILED' })))).toContain('Temporal says FAILED')
  })

  test('an event without its cause in history', () => {
    expect(
      messages(withHistory(({ commands }) => ({ commands: commands.filter(({ work }) => work !== 'step:2') }))),
    ).toContain('has no command in history')
    expect(messages(withHistory(({ commands }) => ({ commands: [...commands, ...commands] })))).toContain(
      'was dispatched 2 times',
    )
    expect(
      messages(withHistory(({ commands }) => ({ commands: commands.map((each) => ({ ...each, outcome: 'lost' })) }))),
    ).toContain('result in history is lost')
    expect(messages(withHistory(() => ({ decisionIds: ['d-start'] })))).toContain(
      'names decision d-deploy, which history does not know',
    )
  })

  test('a view and a list that the record contradicts', () => {
    const shown = withRun(({ shown }) => ({ shown: { ...(shown as NonNullable<typeof shown>), status: 'running' } }))
    expect(kinds(shown)).toEqual(['view'])
    expect(messages(shown)).toContain('status "completed" where the engine shows "running"')
    expect(kinds(withRun(() => ({ listed: undefined })))).toEqual(['list'])
    expect(messages(withRun(() => ({ listed: { status: 'running', sequence: 3 } })))).toContain(
      'is listed as running at 3',
    )
  })

  test('an instant that a replay gives otherwise', () => {
    const later = withRun(({ shown }) => ({
      shown: { ...(shown as NonNullable<typeof shown>), startedAt: '2026-03-01T09:00:00.000Z' },
    }))
    expect(kinds(later)).toEqual(['view'])
    expect(messages(later)).toContain('where the engine shows "2026-03-01T09:00:00.000Z"')
  })

  test('a log that is missing, that says something else, or that says it twice', () => {
    const log = (text: string) => withRun(() => ({ logs: [{ work: 'step:1', attempt: 2, text }] }))
    expect(kinds(withRun(() => ({ logs: [] })))).toEqual(['log'])
    expect(messages(log('effect step:1 2\nmore\n'))).toContain('does not end with the output on record')
    expect(messages(log('effect step:1 2\neffect step:1 2\n'))).toContain('has its one line 2 times')
  })

  test('a key that started two runs, a start that is lost, and a run that nobody asked for', () => {
    const evidence = good()
    expect(messages({ ...evidence, starts: [{ key: 'k1', sop: 'shapes', runIds: [RUN, 'other'] }] })).toContain(
      'key k1 started',
    )
    expect(
      messages({ ...evidence, starts: [...evidence.starts, { key: 'k2', sop: 'shapes', runIds: ['gone'] }] }),
    ).toContain('it was started, and is lost')
    expect(messages({ ...evidence, starts: [] })).toContain('nobody asked for it')
  })

  test('a defect that the engine answered with', () => {
    expect(kinds({ ...good(), failures: ['POST /api/v1/runs/x/retry: keepSecrets is not a function'] })).toEqual([
      'answer',
    ])
  })

  test('a step that is unknown on record while nobody looked for it', () => {
    const lost = (probes: number) => {
      const { record, history } = good().runs[0] as RunEvidence
      const unknown = record.map((event) =>
        event.eventType === 'step_failed' && event.stepNumber === 3
          ? { ...event, eventType: 'step_unknown' as const, details: { title: 'Tell', attempt: 1, error: DIED } }
          : event,
      ) as readonly RunEvent[]
      return withRun(() => ({ record: chained(unknown), history: { ...history, probes } as RunEvidence['history'] }))
    }
    expect(messages(lost(0))).toContain('step 3 is unknown on record, and nobody asked its host')
    expect(messages(lost(1))).not.toContain('nobody asked its host')
  })

  test('an item of a list that took effect twice, or without being begun', () => {
    const { events } = itemsPlay()
    const effect = (item: number) => ({ runId: RUN, work: `step:1[${item}]`, attempt: 1, at: Date.now() })
    const evidence = (...ledger: Evidence['ledger']): Evidence => ({
      ...withRun(({ steps, shown }) => ({
        steps: steps.slice(0, 1).map((step) => ({ ...step, isEach: true })),
        record: chained(events),
        history: undefined,
        folded: shown,
        logs: [],
        listed: { status: 'completed', sequence: events.length },
      })),
      decisions: [],
      ledger,
    })
    expect(check(evidence(effect(1), effect(2)))).toEqual([])
    expect(messages(evidence(effect(1)))).toBe('step:1[2]#1 is done on record, and left no effect')
    expect(messages(evidence(effect(1), effect(2), effect(2)))).toBe('step:1[2]#1 took effect 2 times')
    expect(messages(evidence(effect(1), effect(2), effect(3)))).toContain('the record has no such start')
  })

  test('a run below another one that its parent did not begin, or tells otherwise', () => {
    const evidence = (step: number, status: 'run_completed' | 'run_failed'): Evidence => {
      const { runs } = good()
      const { record } = runs[0] as RunEvidence
      const child = record.map((event, index) => ({
        ...event,
        runId: `${RUN}-s${step}-1`,
        ...(index === 0 && { details: { ...event.details, parent: { runId: RUN, workId: 'x', stepNumber: step } } }),
        ...(index === record.length - 1 && { eventType: status }),
      })) as readonly RunEvent[]
      return {
        ...good(),
        runs: [...runs, { ...(runs[0] as RunEvidence), runId: `${RUN}-s${step}-1`, record: chained(child) }],
      }
    }
    const children = (...of: Parameters<typeof evidence>): readonly string[] =>
      check(evidence(...of))
        .filter(({ kind }) => kind === 'child')
        .map(({ message }) => message)
    expect(children(2, 'run_completed')).toEqual([])
    expect(children(2, 'run_failed')).toEqual(['its parent says it is done, and it is not'])
    expect(children(1, 'run_completed')).toEqual(['its parent says it failed, and it is done'])
    expect(children(7, 'run_completed')).toEqual(['no step of its parent began it'])
    expect(messages(evidence(2, 'run_completed'))).not.toContain('nobody asked for it')
  })

  test('a process and a slot that were left over', () => {
    expect(kinds({ ...good(), processes: ['4711 sleep 600'], slots: [RUN] })).toEqual(['admission', 'process'])
  })
})
