import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkExport } from '../../src/client/check-export.ts'
import { exportRun } from '../../src/client/export-run.ts'
import type { ExportLine } from '../../src/core/verify/export.ts'
import { tempDir } from '../adapters/support/records.ts'
import { eventsOf, newSigner, openVerified, SOP, type VerifiedStore } from './support/verified-store.ts'

const RUN = 'run-b'
let store: VerifiedStore
let lines: readonly string[]

const exported = async (from: VerifiedStore, runId = RUN): Promise<readonly string[]> => {
  const got: string[] = []
  const key = { authority: from.signer.authority, seal: from.signer.seal }
  for await (const line of exportRun({ records: from.deps.records, key, version: '1.2.3' }, runId)) got.push(line)
  return got
}
const lineOf = (text: string): ExportLine => JSON.parse(text) as ExportLine
const check = async (content: readonly string[], keys: readonly string[] = []) => {
  const path = join(tempDir(), 'run.jsonl')
  writeFileSync(path, content.join(''))
  return checkExport(path, keys, 'run.jsonl')
}
const edit = (type: ExportLine['type'], change: (line: never) => object, nth = 0): readonly string[] => {
  let seen = 0
  return lines.map((text) => {
    const line = lineOf(text)
    return line.type === type && seen++ === nth ? `${JSON.stringify(change(line as never))}\n` : text
  })
}
const without = (type: ExportLine['type']): readonly string[] => lines.filter((text) => lineOf(text).type !== type)

const dataDir = mkdtempSync(join(tmpdir(), 'sop-export-'))
afterAll(() => rmSync(dataDir, { recursive: true }))
beforeAll(async () => {
  store = await openVerified(dataDir)
  for (const runId of ['run-a', RUN]) {
    await store.audit.append({ runId, sop: SOP }, eventsOf(runId).slice(0, 3))
    await store.keeper.flush()
    await store.audit.append({ runId, sop: SOP }, eventsOf(runId))
  }
  const writer = await store.logs.open({ runId: RUN, executableId: 'step:1', attempt: 1 })
  await writer.write(Buffer.from(`${'é'.repeat(100_000)}\u2028\u0000 end`))
  await writer.close()
  lines = await exported(store)
})

describe('an exported run', () => {
  test('is whole, and says with which key it is sealed', async () => {
    const found = await check(lines)
    expect(found).toMatchObject({ runId: RUN, sop: SOP, ok: true, events: 8, sealedTo: 8, key: store.signer.authority })
    expect(found.findings).toMatchObject([{ kind: 'key_unknown' }])
    expect(await check(lines, [store.signer.authority])).toMatchObject({ ok: true, findings: [] })
    expect([...new Set(lines.map((line) => lineOf(line).type))]).toEqual([
      'export',
      'record',
      'definition',
      'document',
      'head',
      'chain',
      'log',
      'bytes',
      'log_end',
      'end',
    ])
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(100_000)
  })

  const TAMPERED: readonly (readonly [string, () => readonly string[], object])[] = [
    ['cut off in the middle', () => lines.slice(0, 6), { kind: 'export_cut_off', line: 6 }],
    ['cut off before its seal', () => lines.slice(0, -1), { kind: 'export_cut_off' }],
    [
      'cut off in a line',
      () => [...lines.slice(0, 5), lines[5]?.slice(0, 30) ?? ''],
      { kind: 'export_cut_off', line: 6 },
    ],
    ['something behind its end', () => [...lines, '{"type":"record"}\n'], { kind: 'export_edited' }],
    [
      'an event edited',
      () => edit('record', (l: { event: object }) => ({ ...l, event: { ...l.event, via: 'web' } }), 3),
      { kind: 'edited', sequence: 4, line: 4 },
    ],
    ['an event taken out', () => lines.filter((_, at) => at !== 4), { kind: 'missing', sequence: 4 }],
    ['all events taken out', () => without('record'), { kind: 'record_deleted' }],
    [
      'the definition edited',
      () => edit('definition', (l: object) => ({ ...l, definition: { name: 'other' } })),
      { kind: 'definition_edited' },
    ],
    ['the definition taken out', () => without('definition'), { kind: 'definition_missing' }],
    [
      'a piece of a log edited',
      () => edit('bytes', (l: object) => ({ ...l, bytes: 'AAAA' })),
      { kind: 'export_edited' },
    ],
    [
      'a log taken out',
      () => lines.filter((text) => !['log', 'bytes', 'log_end'].includes(lineOf(text).type)),
      { kind: 'export_edited' },
    ],
    [
      'a head edited',
      () => edit('head', (l: { head: object }) => ({ ...l, head: { ...l.head, sequence: 2 } })),
      { kind: 'head_edited' },
    ],
    [
      'the run document edited',
      () => edit('document', (l: { document: object }) => ({ ...l, document: { ...l.document, status: 'failed' } })),
      { kind: 'export_edited' },
    ],
    [
      'white space put in',
      () => lines.map((line, at) => (at === 2 ? line.replace('{', '{ ') : line)),
      { kind: 'export_edited' },
    ],
  ]
  test.each(TAMPERED)('is found %s', async (_, content, finding) => {
    const found = await check(content(), [store.signer.authority])
    expect(found.ok).toBe(false)
    expect(found.findings).toContainEqual(expect.objectContaining({ severity: 'problem', ...finding }))
  })

  test('is found wherever one byte of it was changed, taken out or put in', async () => {
    const small = await openVerified(tempDir())
    await small.audit.append({ runId: RUN, sop: SOP }, eventsOf(RUN))
    const writer = await small.logs.open({ runId: RUN, executableId: 'step:1', attempt: 1 })
    await writer.write(Buffer.from('hello'))
    await writer.close()
    const whole = Buffer.from((await exported(small)).join(''))
    const lastLine = whole.lastIndexOf(10, -2) + 1
    const path = join(tempDir(), 'run.jsonl')
    const isFound = async (...parts: readonly Uint8Array[]): Promise<boolean> => {
      writeFileSync(path, Buffer.concat(parts))
      return !(await checkExport(path, [small.signer.authority], 'run.jsonl')).ok
    }
    const missed: string[] = []
    // The last line is what no digest covers; before it one place in many does.
    for (let at = 0; at < whole.length; at += at < lastLine ? 29 : 1) {
      const [before, after] = [whole.subarray(0, at), whole.subarray(at + 1)]
      const byte = whole[at] ?? 0
      for (const other of [byte ^ 1, byte ^ 2, byte ^ 32])
        if (!(await isFound(before, Buffer.from([other]), after))) missed.push(`changed to ${other} at ${at}`)
      if (!(await isFound(before, after))) missed.push(`taken out at ${at}`)
      if (!(await isFound(before, Buffer.from(' '), whole.subarray(at)))) missed.push(`put in at ${at}`)
    }
    expect(missed).toEqual([])
  }, 180_000)

  test.each([
    '{"type":"bytes"}',
    '{"type":"record"}',
    '{"type":"head","head":7}',
    '{"type":"definition"}',
    '{"type":"log_end"}',
    '{"type":"export"}',
  ])('is found with %s put in', async (line) => {
    const found = await check([...lines.slice(0, -3), `${line}\n`, ...lines.slice(-3)], [store.signer.authority])
    expect(found.ok).toBe(false)
  })

  test.each([
    ['nothing', []],
    ['something else', ['# a text\n', '{"a":1}\n']],
  ])('is not what a file with %s is', async (_, content) => {
    await expect(check(content)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('it is no export of a run') as string,
    })
  })

  test('that somebody else made and sealed is found where the key is known', async () => {
    const forger = newSigner()
    const forged = await openVerified(tempDir(), forger)
    await forged.audit.append({ runId: RUN, sop: SOP }, eventsOf(RUN))
    const file = await exported(forged)
    expect(await check(file)).toMatchObject({ ok: true, key: forger.authority })
    const found = await check(file, [store.signer.authority])
    expect(found.findings.map(({ kind }) => kind)).toContain('export_forged')
    expect(found.ok).toBe(false)
    // With the name of the right key it is the seal that is wrong.
    const named = file.map((line, at) => (at === 0 ? line.replace(forger.authority, store.signer.authority) : line))
    expect((await check(named)).ok).toBe(false)
  })

  test('that was tampered with before it was exported is found as well', async () => {
    const tampered = await openVerified(tempDir())
    await tampered.audit.append({ runId: RUN, sop: SOP }, eventsOf(RUN))
    const { editEvent } = await import('./support/verified-store.ts')
    editEvent(tampered.path(RUN), 4, { via: 'web' })
    const found = await check(await exported(tampered), [tampered.signer.authority])
    expect(found.findings).toMatchObject([{ kind: 'edited', sequence: 4, file: `audit/${SOP}/${RUN}.jsonl`, line: 4 }])
  })

  test('is refused where there is no record', async () => {
    await expect(exported(store, 'nobody')).rejects.toMatchObject({ code: 'not_found' })
    await expect(checkExport('/nowhere/at-all')).rejects.toMatchObject({ code: 'not_found' })
  })
})
