import { expect, test } from 'vitest'
import { createLog, type LogOptions } from '../src/log.ts'

const now = () => new Date('2026-03-01T09:05:07.008Z')

function recorded(options: LogOptions = {}) {
  const lines: string[] = []
  const log = createLog({ now, out: { write: (text) => lines.push(text) }, ...options })
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> }
}

test('a line that no person watches is one JSON object', () => {
  const { log, lines, last } = recorded()
  log.info('worker is up', { taskQueue: 'sop' })
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^\{.*\}\n$/)
  expect(last()).toEqual({ time: '2026-03-01T09:05:07.008Z', level: 'info', message: 'worker is up', taskQueue: 'sop' })
})

test('lines below the level are left out', () => {
  const { log, lines } = recorded({ level: 'warn' })
  log.debug('a')
  log.info('b')
  log.warn('c')
  log.error('d')
  expect(lines.map((line) => (JSON.parse(line) as { message: string }).message)).toEqual(['c', 'd'])
})

test('child() adds its fields to every line and leaves its parent alone', () => {
  const { log, last } = recorded()
  log.child({ runId: 'sop_run_1' }).child({ step: 2 }).info('go')
  expect(last()).toMatchObject({ runId: 'sop_run_1', step: 2 })
  log.info('go')
  expect(last()).not.toHaveProperty('runId')
})

test('a field cannot pass for the time, the level or the message', () => {
  const { log, last } = recorded()
  log.warn('real', { message: 'forged', level: 'debug', time: 'never' })
  expect(last()).toMatchObject({ message: 'real', level: 'warn', time: '2026-03-01T09:05:07.008Z' })
})

test('errors are taken apart with their causes', () => {
  const { log, last } = recorded()
  log.error('failed', {
    error: new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'ECONNREFUSED' }) }),
  })
  expect(last()['error']).toMatchObject({ message: 'outer', cause: { message: 'inner', code: 'ECONNREFUSED' } })
})

test('circular fields, errors that cause themselves and big integers do not make it throw', () => {
  const { log, last } = recorded()
  const loop: Record<string, unknown> = { size: 10n ** 20n }
  loop['self'] = { loop }
  const shared = { a: 1 }
  const error = new Error('own cause')
  error.cause = error
  log.info('odd', { loop, twice: [shared, shared], error })
  expect(last()['loop']).toEqual({ size: '100000000000000000000', self: { loop: '(circular)' } })
  expect(last()['twice']).toEqual([{ a: 1 }, { a: 1 }])
  expect(last()['error']).toMatchObject({ cause: '(circular)' })
})

test('on a terminal a line is for people, with colours only there', () => {
  const lines: string[] = []
  const out = { isTTY: true, write: (text: string) => lines.push(text) }
  createLog({ now, out }).warn('slow', { ms: 12, at: 'a b', gone: undefined })
  createLog({ now, out, colors: false }).warn('slow', { ms: 12, at: 'a b', error: new Error('why') })
  createLog({ now, out: { ...out, hasColors: () => false } }).warn('slow')
  expect(lines[0]).toContain('\u001b[33mWARN')
  expect(lines[2]).toBe('09:05:07.008 WARN  slow\n')
  expect(lines[1]).toBe('09:05:07.008 WARN  slow ms=12 at="a b" error=why\n')
})

test('what a stranger sent cannot break a line or drive a terminal', () => {
  const { log, lines } = recorded({ format: 'text', colors: false })
  log.info('bad\nname \u001b[2J', { value: 'x\r\n\u009b31mERROR forged' })
  expect(lines[0]?.trimEnd()).not.toMatch(/[\n\r\u001b\u009b]/)
})
