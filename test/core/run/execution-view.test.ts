import { describe, expect, test } from 'vitest'
import { hasBegun, hasEnded, isLogOver, isStillWanted } from '../../../src/core/run/execution-view.ts'
import { STEP_STATES, type StepState } from '../../../src/core/run/state.ts'
import type { ExecutableId } from '../../../src/core/run/task.ts'
import type { StepView } from '../../../src/core/run/view.ts'

const step = (status: StepState, attempt = 2, items?: StepView['items']): StepView => ({
  number: 3,
  slug: 's',
  title: 'S',
  kind: 'shell',
  status,
  attempt,
  ...(items && { items }),
})
const view = (...stepResults: readonly StepView[]) => ({ stepResults })
const list = (...shown: readonly { readonly status: 'running' | 'success'; readonly attempt: number }[]) =>
  ({
    shown: shown.map((each, index) => ({ item: index + 1, value: 'x', ...each })),
  }) as unknown as NonNullable<StepView['items']>

describe('isStillWanted()', () => {
  test.each<[what: string, found: StepView, executableId: ExecutableId, attempt: number, wanted: boolean]>([
    ['the attempt that runs', step('running'), 'step:3', 2, true],
    ['its check', step('running'), 'verify:3', 2, true],
    ['an earlier attempt', step('running'), 'step:3', 1, false],
    ['a step that is done', step('success'), 'step:3', 2, false],
    ['a step that nobody knows of', step('unknown'), 'step:3', 2, false],
    ['a step that the view does not have', step('success'), 'step:4', 2, true],
    ['an undo, of which views do not tell', step('success'), 'rollback:3', 2, true],
    ['a gate, of which views do not tell', step('success'), 'gate:pre_check', 2, true],
    ['an item that runs', step('running', 1, list({ status: 'running', attempt: 2 })), 'step:3[1]', 2, true],
    ['an item in another attempt', step('running', 1, list({ status: 'running', attempt: 3 })), 'step:3[1]', 2, false],
    ['an item that is done', step('running', 1, list({ status: 'success', attempt: 2 })), 'step:3[1]', 2, false],
    ['an item that is not shown', step('running', 1, list()), 'step:3[9]', 2, true],
    ['an item of a step that is over', step('failed', 1, list()), 'step:3[9]', 2, false],
  ])('%s', (_, found, executableId, attempt, wanted) => {
    expect(isStillWanted(view(found), { executableId, attempt })).toBe(wanted)
  })
})

describe('isLogOver()', () => {
  test.each<[what: string, found: StepView, executableId: ExecutableId, attempt: number, over: boolean]>([
    ['of the attempt that runs', step('running'), 'step:3', 2, false],
    ['of the attempt before', step('running'), 'step:3', 1, true],
    ['of an attempt that the view is too old for', step('failed', 1), 'step:3', 2, false],
    ['of the last attempt of a step that is done', step('success'), 'verify:3', 2, true],
    ['of a step that the view does not have', step('success'), 'step:4', 1, false],
    ['of an undo', step('success'), 'rollback:3', 1, false],
    ['of a gate', step('success'), 'gate:pre_check', 1, false],
    ['of an item while its step runs', step('running'), 'step:3[1]', 1, false],
    ['of an item whose step is yet to begin again', step('pending'), 'step:3[1]', 1, false],
    ['of an item whose step is over', step('failed'), 'step:3[1]', 7, true],
  ])('%s', (_, found, executableId, attempt, over) => {
    expect(isLogOver(view(found), { executableId, attempt })).toBe(over)
  })
})

test('of every state of a step it is said whether it began, and whether it ended', () => {
  expect(
    Object.fromEntries(STEP_STATES.map((status) => [status, [hasBegun({ status }), hasEnded({ status })]])),
  ).toEqual({
    pending: [false, false],
    awaiting_approval: [false, false],
    running: [true, false],
    awaiting_input: [true, false],
    success: [true, true],
    failed: [true, true],
    skipped: [false, true],
    unknown: [true, true],
    rolled_back: [true, true],
  })
})
