import { describe, expect, test } from 'vitest'
import type { SopDefinition, SopGate, Step } from '../../../src/core/definition.ts'
import { EVENT_TYPES } from '../../../src/core/run/event.ts'
import { PAUSE_KINDS } from '../../../src/core/run/run.ts'
import { RUN_STATES, STEP_STATES } from '../../../src/core/run/state.ts'
import { NOT_CARRIED_OUT } from '../../../src/core/run/supported.ts'
import { type Scope, SETTINGS } from '../../../src/core/settings.ts'
import { fixtureNames, isOfRun, readFixture } from '../../workflows/corpus/fixture.ts'

// corpus.test.ts: the corpus of histories (test/fixtures/history) is only worth what is in it. What a run can be asked to
// do has to stand in at least one history, so that the next version is held to it.

const fixtures = fixtureNames().map(readFixture).filter(isOfRun)
const definitions = fixtures.map(({ seed }) => seed.pinned.definition)

/** How to mend it; shown with whatever is missing. */
const MEND =
  'Add a case in test/workflows/corpus and record it: UPDATE=1 npx vitest run --project integration test/workflows/replay.test.ts'

/** Settings that change nothing about what a run does: words for readers, and what begins or tells of runs. */
const WITHOUT_EFFECT: readonly string[] = [
  'sop:name',
  'sop:title',
  'sop:description',
  'sop:version',
  'sop:author',
  'sop:owner',
  'sop:tags',
  'sop:triggers',
  'sop:notifications',
  'sop:hints',
  'sop:refusals',
  'step:title',
  'step:description',
  // Filled in or merged by the compiler: a definition says it in each step.
  'sop:defaults',
  'sop:steps',
  'step:number',
  'step:type',
  'step:before',
  'step:after',
  'gate:name',
  'param:description',
]

/** Settings that a definition holds under another name than their own. */
const ELSEWHERE: Readonly<Record<string, (definition: SopDefinition) => boolean>> = {
  'sop:execution_mode': ({ mode }) => mode !== undefined,
  'sop:cooldown': ({ cooldownMs }) => cooldownMs > 0,
  'sop:admission': ({ maxConcurrent }) => maxConcurrent !== undefined,
  'sop:lock': ({ locks }) => locks !== undefined,
  'step:commands': someAction(({ kind }) => kind === 'shell'),
  'step:wait': someAction(({ kind }) => kind === 'wait'),
  'step:http': someAction(({ kind }) => kind === 'http'),
  'step:sop': someAction(({ kind }) => kind === 'sop'),
  'step:with': someAction((action) => action.kind === 'sop' && action.with !== undefined),
  'step:due': someAction((action) => action.kind === 'manual' && action.dueMs !== undefined),
  'gate:timeout': someGate(({ approvalTimeoutMs }) => approvalTimeoutMs !== undefined),
  'gate:before': someGate(({ position }) => position.at === 'before'),
  'gate:after': someGate(({ position }) => position.at === 'after'),
}

function someStep(has: (step: Step) => boolean) {
  return ({ steps }: SopDefinition): boolean => steps.some(has)
}
function someAction(has: (action: Step['action']) => boolean) {
  return someStep(({ action }) => has(action))
}
function someGate(has: (gate: SopGate) => boolean) {
  return ({ gates }: SopDefinition): boolean => (gates ?? []).some(has)
}

const camel = (key: string): string => key.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())

const has = (value: object | undefined, key: string): boolean =>
  value !== undefined && [camel(key), `${camel(key)}Ms`].some((name) => name in value)

/** Whether a definition sets it, in the place that the scope names. */
const sets = (scope: Scope, key: string, definition: SopDefinition): boolean => {
  const elsewhere = ELSEWHERE[`${scope}:${key}`]
  if (elsewhere !== undefined) return elsewhere(definition)
  switch (scope) {
    case 'sop':
      return has(definition, key)
    case 'step':
      return definition.steps.some((step) => has(step, key) || has(step.action, key))
    case 'gate':
      return (definition.gates ?? []).some((gate) => has(gate, key))
    case 'param':
      return (definition.params ?? []).some((param) => has(param, key))
    case 'conditions':
      return has(definition.conditions, key)
    case 'http':
      return definition.steps.some(({ action }) => action.kind === 'http' && has(action, key))
    default:
      return true
  }
}

/** A key that says more of another stands and falls with it. */
const PART_OF: Readonly<Record<string, string>> = { with: 'sop' }

const refused = (scope: Scope, key: string): boolean =>
  (scope === 'sop' || scope === 'step' || scope === 'gate') &&
  (NOT_CARRIED_OUT[scope] as readonly string[]).some((name) => name === (PART_OF[key] ?? key))

const wanted = SETTINGS.flatMap(({ key, scopes }) => scopes.map((scope): [Scope, string] => [scope, key])).filter(
  ([scope, key]) => !WITHOUT_EFFECT.includes(`${scope}:${key}`) && !refused(scope, key),
)

/** Wire names that no run of this version comes to; each leaves the list with the first history that has it. */
const NOT_REACHED: readonly string[] = [
  // Written by the sweeper, beside the run.
  'run_forked',
  'notification_sent',
  'notification_failed',
  'definition_amended',
]

const expectAll = (names: readonly string[], found: ReadonlySet<string>): void => {
  expect(
    names.filter((name) => !found.has(name) && !NOT_REACHED.includes(name)),
    MEND,
  ).toEqual([])
  expect(
    names.filter((name) => found.has(name) && NOT_REACHED.includes(name)),
    'A history has it: take it out of NOT_REACHED',
  ).toEqual([])
}

describe('the corpus has a history', () => {
  test('with every setting that this version carries out', () => {
    const missing = wanted.filter(([scope, key]) => !definitions.some((definition) => sets(scope, key, definition)))
    expect(missing, MEND).toEqual([])
  })

  test('with every event', () => {
    const found = new Set<string>(fixtures.flatMap(({ events }) => events.map(({ eventType }) => eventType)))
    expectAll(EVENT_TYPES, found)
  })

  test('that stands in every state of a run', () => {
    const found = new Set<string>(fixtures.map(({ view }) => view.status))
    expectAll(RUN_STATES, found)
  })

  test('parked by every kind of pause', () => {
    const parked = fixtures.filter(({ view }) => view.status === 'paused')
    const found = new Set<string>(
      parked.map(({ events }) => events.findLast((event) => event.eventType === 'run_paused')?.details.kind ?? ''),
    )
    expectAll(PAUSE_KINDS, found)
  })

  test('parked at a gate for every reason, and at a manual step', () => {
    const open = fixtures.flatMap(({ view }) => view.openGates.map(({ because }) => because))
    for (const because of ['start', 'mode', 'requires_approval', 'approve_if', 'gates']) expect(open).toContain(because)
    expect(fixtures.some(({ view }) => view.openInputs.length > 0)).toBe(true)
  })

  test('with a step in every state', () => {
    const found = new Set<string>(fixtures.flatMap(({ view }) => view.stepResults.map(({ status }) => status)))
    expectAll(STEP_STATES, found)
  })

  test('of a run that was carried on by a next execution', () =>
    expect(fixtures.some(({ history }) => JSON.stringify(history).includes('continuedExecutionRunId'))).toBe(true))
})
