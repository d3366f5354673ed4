import { describe, expect, test, vi } from 'vitest'
import { auditCheckSample, runCheckSample } from '../support/fake-client.ts'
import { sop } from './support/sop.ts'

const whole = { ...runCheckSample, ok: true, findings: [] }
const engine = {
  verifyRun: async () => runCheckSample,
  verifyAudit: async function* () {
    yield { kind: 'progress' as const, checked: 1, total: 2 }
    yield { kind: 'run' as const, run: runCheckSample }
    yield { kind: 'run' as const, run: runCheckSample }
    yield { kind: 'done' as const, audit: auditCheckSample }
  },
}

describe('sop verify-audit', () => {
  test('says of a run what is wrong and where, and ends with 1', async () => {
    const said = await sop(['verify-audit', 'r1'], { engine })
    expect(said.out).toContain('sop_run_abc123 deploy-production: 1 problem found')
    expect(said.out).toContain(
      'edited: audit/deploy-production/sop_run_abc123.jsonl:4: event 4 (approval_granted) was changed',
    )
    expect(said.out).toContain('note, late_head')
    expect(said.code).toBe(1)
    expect(said.calls).toEqual([{ method: 'verifyRun', args: ['r1', {}] }])
  })

  test('says of a whole record what vouches for it, and ends with 0', async () => {
    const said = await sop(['verify-audit', 'r1'], { engine: { verifyRun: async () => whole } })
    expect(said.out).toBe(
      "sop_run_abc123 deploy-production: the record is whole: 8 events; signed heads vouch for event 1 to 8; as the workflow's history has it\n",
    )
    expect(said.code).toBe(0)
  })

  test('checks all runs, tells each once, and the end of the chain of heads', async () => {
    const head = `7:${'b'.repeat(64)}`
    const key = `${'k'.repeat(43)}=`
    const said = await sop(['verify-audit', '--key', key, '--head', head, '--no-history'], { engine })
    expect(said.out.match(/1 problem found/g)).toHaveLength(1)
    expect(said.out).toContain(`given back with --head: 2:${'a'.repeat(64)}`)
    expect(said.out).toContain('Something is wrong: 1 problem, in 1 record.')
    expect(said.code).toBe(1)
    const asked = { keys: [key], head: { index: 7, hash: 'b'.repeat(64) }, history: false }
    expect(said.calls).toEqual([{ method: 'verifyAudit', args: [{ ...asked, signal: expect.any(AbortSignal) }] }])
    expect(said.err).not.toContain('Checked')
  })

  test('shows on a terminal how far it is, and nothing of it with --json', async () => {
    expect((await sop(['verify-audit'], { engine, terminal: true })).err).toContain('Checked 1 of 2 records')
    const json = await sop(['verify-audit', '--json'], { engine, terminal: true })
    expect(json.err).toBe('')
    expect(JSON.parse(json.out)).toEqual({ ok: false, audit: auditCheckSample, runs: [runCheckSample] })
    expect(json.code).toBe(1)
  })

  test('does not pass over --head where a file is checked, which has no chain to hold it against', async () => {
    const exports = { check: async () => ({ ...whole, key: 'k' }), save: async () => ({ bytes: 0 }) }
    const said = await sop(['verify-audit', 'run.jsonl', '--head', `7:${'b'.repeat(64)}`], {
      engine,
      ports: { exports },
    })
    expect([said.code, said.out]).toEqual([2, ''])
    expect(said.err).toContain('Cannot hold --head against "run.jsonl"')
  })

  test('is broken off by Ctrl-C', async () => {
    const endless = {
      verifyAudit: async function* ({ signal }: { signal?: AbortSignal } = {}) {
        yield { kind: 'progress' as const, checked: 0, total: 2 }
        await new Promise((resolve) => signal?.addEventListener('abort', resolve))
      },
    }
    const io: { interrupt?: () => boolean } = {}
    const saying = sop(['verify-audit'], { engine: endless, terminal: true, onIo: (made) => Object.assign(io, made) })
    await vi.waitUntil(() => io.interrupt?.() === true, { timeout: 20_000 })
    expect(await saying).toMatchObject({ code: 130, out: '' })
  })

  test.each([
    [['--key', 'short'], 'Cannot read --key'],
    [['--head', '7'], 'Cannot read --head'],
  ])('refuses %j', async (args, words) => {
    const said = await sop(['verify-audit', ...args], { engine })
    expect([said.code, said.calls]).toEqual([2, []])
    expect(said.err).toContain(words)
  })
})

describe('sop export', () => {
  const exporting = {
    getRunStatus: async () => ({ runId: 'sop_run_1' }) as never,
    exportRun: async function* () {
      yield* ['{"type":"export"}\n', '{"type":"end"}\n']
    },
  }
  test('writes a file named for the run, and says how to check it', async () => {
    const saved: string[] = []
    const exports = {
      check: async () => undefined,
      save: async (path: string, lines: AsyncIterable<string>) => {
        saved.push(path)
        for await (const line of lines) saved.push(line)
        return { bytes: 33 }
      },
    }
    const said = await sop(['export', 'deploy'], { engine: exporting, ports: { exports } })
    expect(saved).toEqual(['sop_run_1.sop-export.jsonl', '{"type":"export"}\n', '{"type":"end"}\n'])
    expect(said.out).toBe('Exported run sop_run_1 to sop_run_1.sop-export.jsonl (33 bytes)\n')
    expect(said.err).toContain('sop verify-audit sop_run_1.sop-export.jsonl')
  })

  test('writes to standard output as it comes', async () => {
    const said = await sop(['export', 'deploy', '--out', '-'], { engine: exporting })
    expect(said.out).toBe('{"type":"export"}\n{"type":"end"}\n')
  })
})
