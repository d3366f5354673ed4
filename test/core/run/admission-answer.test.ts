import { expect, test } from 'vitest'
import { readAdmissionAnswer } from '../../../src/core/run/admission-answer.ts'

const queued = { kind: 'queued', reason: 'it is full' } as const

test('readAdmissionAnswer() takes an answer for the question that it names', () => {
  expect(readAdmissionAnswer({ runId: 'r', phase: 'slot', verdict: queued, turn: 2 })).toEqual({
    kind: 'admission',
    workId: 'admission:slot',
    verdict: queued,
    turn: 2,
  })
  const admitted = { kind: 'admitted', order: { priority: 1, order: 1 } }
  expect(readAdmissionAnswer({ phase: 'arrival', verdict: admitted })).toEqual({
    kind: 'admission',
    workId: 'admission:arrival',
    verdict: admitted,
  })
})

test.each<[what: string, answer: unknown]>([
  ['nothing', undefined],
  ['null', null],
  ['a text', 'admitted'],
  ['no verdict', { phase: 'slot' }],
  ['another phase', { phase: 'yield', verdict: queued }],
  ['another verdict', { phase: 'slot', verdict: { kind: 'perhaps', reason: 'x' } }],
  ['a refusal without reason', { phase: 'slot', verdict: { kind: 'refused' } }],
  ['an order that is none', { phase: 'slot', verdict: { kind: 'admitted', order: 3 } }],
  ['no order at all', { phase: 'slot', verdict: { kind: 'admitted', order: null } }],
])('readAdmissionAnswer() passes over an answer with %s', (_, answer) => {
  expect(readAdmissionAnswer(answer)).toBeUndefined()
})
