import { expect, test } from 'vitest'
import { childCancel, childResultOf } from '../../../src/core/run/child-end.ts'
import { command, sopOf, type StepSketch } from '../../support/definitions.ts'
import { failed, ok, Play } from '../../support/play.ts'

const CHILD = { action: { kind: 'sop', sop: 'other' }, timeoutMs: 3_600_000 } satisfies StepSketch
const parent = (...steps: readonly StepSketch[]): Play => new Play(sopOf({ steps })).start()

test('childCancel() says that the step took too long', () => {
  expect(childCancel(parent(CHILD).wait(3_600_000).run, { step: 1 })).toEqual({
    reason: 'step 1 of its parent run "sop_run_test" is ended: it took longer than 1h',
  })
})

test('childCancel() says why the parent ends, and that it walks back where its parent does', () => {
  const plain = parent(CHILD)
  plain.decide('cancel', { reason: 'enough' })
  expect(childCancel(plain.run, { step: 1 }).reason).toMatch(/^its parent run "sop_run_test" is ending: .*enough/)
  expect(childCancel(plain.run, { step: 1 })).not.toHaveProperty('rollback')
  const back = parent({ rollback: [command('undo')] }, CHILD).ends(ok())
  back.decide('cancel', { reason: 'enough', rollback: true })
  expect(childCancel(back.run, { step: 2 })).toMatchObject({ rollback: true })
})

test('childCancel() of a step that is over late in a run that ends tells of the end', () => {
  const play = parent(CHILD).wait(3_600_000)
  play.decide('cancel', { reason: 'enough' })
  expect(childCancel(play.run, { step: 1 }).reason).toMatch(/is ending: .*enough/)
})

test('childResultOf() is how the run ended, and nothing while it is open', () => {
  expect(childResultOf(parent({}).run)).toBeUndefined()
  expect(childResultOf(parent({}).ends(ok({ outputs: { a: 1 } })).run)).toEqual({ outcome: 'ok', outputs: { a: 1 } })
  expect(childResultOf(parent({}).ends(failed()).run)).toMatchObject({
    outcome: 'failed',
    reason: expect.stringContaining('exit code 1'),
  })
})
