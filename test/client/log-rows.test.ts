import { describe, expect, test } from 'vitest'
import { createLogRowReader } from '../../src/client/log-rows.ts'
import type { RecordedLog } from '../../src/client/records.ts'
import { createRowSplitter, ROW_BYTES } from '../../src/core/log-rows.ts'

const LOG: RecordedLog = { runId: 'sop_run_1', executableId: 'step:3[5]', attempt: 2 }
const open = async () => false

/** A store of one log that grows; `read` counts the bytes that were asked for. */
const storeOf = (text: string | Uint8Array) => {
  const state = { bytes: typeof text === 'string' ? Buffer.from(text) : text, isClosed: false, read: 0 }
  const reader = createLogRowReader({
    list: async () => [LOG],
    removal: async () => undefined,
    read: async (_log, offset, limit) => {
      const bytes = state.bytes.subarray(offset, offset + limit)
      state.read += bytes.length
      return { bytes, end: state.bytes.length, ...(state.isClosed && { isClosed: true as const }) }
    },
  })
  return { state, reader, append: (more: string) => (state.bytes = Buffer.concat([state.bytes, Buffer.from(more)])) }
}

describe('createRowSplitter()', () => {
  const rowsOf = (bytes: Uint8Array, pieces: number): readonly number[] => {
    const ends: number[] = []
    const splitter = createRowSplitter(0)
    for (let at = 0; at < bytes.length; at += pieces)
      splitter.push(bytes.subarray(at, at + pieces), (_start, end) => ends.push(end))
    return ends
  }

  test.each([
    ['short lines', 'one\ntwo\n\nthree'],
    ['one line of 100 KB', 'x'.repeat(100_000)],
    ['a line that is just as long as a row', `${'x'.repeat(ROW_BYTES)}\nnext\n`],
    ['characters of four bytes across the cut', `a${'😀'.repeat(ROW_BYTES)}\nend\n`],
    ['bytes that are no text', Buffer.alloc(50_000, 0x80)],
    ['line feeds alone', '\n'.repeat(500)],
  ])('splits %s alike, however the bytes come', (_name, text) => {
    const bytes = Buffer.from(text as string)
    const whole = rowsOf(bytes, bytes.length)
    for (const pieces of [1, 7, 8191, 8192, 8193]) expect(rowsOf(bytes, pieces)).toEqual(whole)
    for (const [at, end] of whole.entries()) expect(end - (whole[at - 1] ?? 0)).toBeLessThanOrEqual(ROW_BYTES + 4)
  })

  test('never cuts a character in two', () => {
    const bytes = Buffer.from(`a${'😀'.repeat(ROW_BYTES)}`)
    for (const end of rowsOf(bytes, 1000)) expect((bytes[end] ?? 0) & 0xc0).not.toBe(0x80)
  })
})

describe('createLogRowReader()', () => {
  const text = Array.from({ length: 100_000 }, (_, at) => `line ${at}`).join('\n')

  test('reads any part of a log of 100,000 lines, and counts its bytes once', async () => {
    const { reader, state, append } = storeOf(text)
    const first = await reader.rows(LOG, { from: 50_000, limit: 3 }, open)
    expect(first).toMatchObject({
      stepNumber: 3,
      item: 5,
      attempt: 2,
      source: 'step',
      from: 50_000,
      rows: ['line 50000', 'line 50001', 'line 50002'],
      total: 100_000,
      complete: false,
    })
    const counted = state.read
    append('\nline 100000\nhalf')
    expect(await reader.rows(LOG, { from: -3 }, open)).toMatchObject({
      from: 99_999,
      rows: ['line 99999', 'line 100000', 'half'],
      total: 100_002,
    })
    expect(state.read - counted).toBeLessThan(20_000)
    state.isClosed = true
    expect((await reader.rows(LOG, { from: 0, limit: 1 }, open)).complete).toBe(true)
  })

  test('a row that is not whole grows where it stands', async () => {
    const { reader, append } = storeOf('10%\r20%')
    expect(await reader.rows(LOG, {}, open)).toMatchObject({ rows: ['10%\r20%'], total: 1 })
    append('\r30%\ndone\n')
    expect(await reader.rows(LOG, {}, open)).toMatchObject({ rows: ['10%\r20%\r30%', 'done'], total: 2 })
  })

  test('a line of 100 KB is several rows that say so, and together it is all there', async () => {
    const { reader } = storeOf(`${'é'.repeat(50_000)}\nend\n`)
    const { rows, unfinished, total } = await reader.rows(LOG, {}, open)
    expect(rows.join('')).toBe(`${'é'.repeat(50_000)}end`)
    expect(unfinished).toEqual(Array.from({ length: total - 2 }, (_, at) => at))
  })

  test('finds a text in lines as they read: without colours, and of a progress bar the last state', async () => {
    const { reader } = storeOf('an \u001b[31mERR\u001b[0mor\nerror\rfine\nno\n'.repeat(700))
    const found = await reader.search(LOG, { text: 'error' })
    expect(found.matches.slice(0, 3)).toEqual([0, 3, 6])
    expect(found.matches.length).toBe(700)
    expect(found.next).toBeUndefined()
  })

  test('stops at a thousand matches and goes on from there', async () => {
    const { reader } = storeOf('x\n'.repeat(2500))
    const found = await reader.search(LOG, { text: 'X' })
    expect([found.matches.length, found.next]).toEqual([1000, 1000])
    const last = await reader.search(LOG, { text: 'x', from: 2000 })
    expect([last.matches[0], last.matches.length, last.next]).toEqual([2000, 500, undefined])
  })
})
