import { describe, expect, test } from 'vitest'
import { receive } from '../../../src/core/run/receive.ts'

const RUN = { runId: 'sop_run_test', authority: '' }
const read = (kind: Parameters<typeof receive>[0], argument: unknown) => receive(kind, argument, 'signal', RUN)

describe('receive()', () => {
  test.each([
    ['cancel', { rollback: true }],
    ['retry', { step: 2, params: { version: '1.4.3', count: 2 } }],
    ['retry', { outcome: 'did_not_run' }],
    ['approve', { gate: '3-deploy', covers: 'abc' }],
    ['complete', { step: 3, values: { ticket: 'OPS-1' } }],
  ] as const)('reads %s %j', (kind, argument) => {
    expect(read(kind, argument)).toMatchObject({ ok: true, decision: { kind, ...argument } })
  })

  test.each([
    ['cancel', { rollback: 'yes' }, '"rollback" is not true or false'],
    ['retry', { params: ['version'] }, '"params" is not a JSON object'],
    ['retry', { outcome: 'ran' }, '"outcome" is none of did_not_run'],
    ['retry', { outcome: 1 }, '"outcome" is not text'],
    ['approve', { covers: {} }, '"covers" is not text'],
    ['retry', { step: -1 }, '"step" is not a whole number'],
  ] as const)('refuses %s %j', (kind, argument, reason) => {
    expect(read(kind, argument)).toEqual({ ok: false, reason })
  })

  test.each([
    ['approve', { stp: 3 }, 'its key "stp" means nothing to approve; did you mean "step"?'],
    [
      'approve',
      { step: 3, approved: false },
      'its key "approved" means nothing to approve; it knows decisionId, gate, step,',
    ],
    ['approve', { rollback: true }, 'its key "rollback" means nothing to approve'],
    ['cancel', { roll_back: true }, 'its key "roll_back" means nothing to cancel; did you mean "rollback"?'],
    ['complete', { vales: {} }, 'its key "vales" means nothing to complete; did you mean "values"?'],
  ] as const)('refuses %s %j by hand, since nobody reads that key', (kind, argument, reason) => {
    const refused = read(kind, argument)
    expect(refused).toMatchObject({ ok: false })
    expect(refused.ok ? '' : refused.reason).toContain(reason)
    const before = receive(kind, argument, 'signal', { ...RUN, rulesVersion: 6 })
    expect(before).toMatchObject({ ok: true })
  })

  test('passes over a key that is null, as a form leaves it', () => {
    const received = read('retry', { params: null, outcome: null, step: null })
    expect(received).toMatchObject({ ok: true, decision: { kind: 'retry' } })
    expect(Object.keys(received.ok ? received.decision : {}).sort()).toEqual(['kind', 'principal', 'via'])
  })
})
