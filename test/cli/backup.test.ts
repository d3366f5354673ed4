import { expect, test } from 'vitest'
import { sop } from './support/sop.ts'

const made = { file: '/b/x.tar.gz', bytes: 2048, files: 12, at: '2026-11-21T03:00:00.000Z', pausedMs: 31 }
const restored = { dataDir: '/srv/sop', backupAt: '2026-11-21T03:00:00.000Z', madeBy: '1.2.3', files: 12 }

test('sop backup says where it is, how long the server stood still, and what is in it', async () => {
  const asked: string[] = []
  const ports = {
    backUp: async (out: string) => {
      asked.push(out)
      return made
    },
  }
  const { out, code } = await sop(['backup', '--out', '/b'], { ports })
  expect([asked, code]).toEqual([['/b'], 0])
  expect(out).toMatch(
    /^Backed up to \/b\/x\.tar\.gz \(2 KiB, 12 files, .*\)\.\nTemporal stood still for 31 ms\.\n.*key/,
  )
  expect(out).not.toContain('--head')
  expect(JSON.parse((await sop(['backup', '--json'], { ports })).out)).toEqual(made)
  const head = { index: 7, hash: 'a'.repeat(64) }
  const noted = await sop(['backup'], { ports: { backUp: async () => ({ ...made, head }) } })
  expect(noted.out).toContain(`ends with 7:${head.hash}: note it elsewhere, for sop verify-audit --head`)
})

test('sop restore says how to go on', async () => {
  const ports = { restore: async () => restored, confirmRestore: async () => ({ ...restored, confirmedAt: 'now' }) }
  const { out, code } = await sop(['restore', 'x.tar.gz', '--to', '/srv/sop'], { ports })
  expect(code).toBe(0)
  expect(out).toMatch(/Never start it beside[^]*SOP_DATA_DIR=\/srv\/sop sop serve/)
  expect((await sop(['restore', '--confirm'], { ports })).out).toMatch(/^Confirmed: [^]*sop runs --state paused/)
})

test('sop restore --resume-runs lets go on what the restore paused, and says what still waits', async () => {
  const view = (by: string, kind = 'requested', reason = `paused by ${by}`) => ({ reason, paused: { by, kind } })
  const views: Readonly<Record<string, object>> = {
    one: view('restore'),
    two: view('alice'),
    three: view('engine', 'unknown', 'nobody knows whether step 1 ran'),
    four: view('restore'),
    five: view('restore'),
    // The list is a little behind.
    six: { status: 'running' },
  }
  const pages: readonly (readonly string[])[] = [
    ['one', 'two', 'three'],
    ['four', 'five', 'six'],
  ]
  const resumed: string[] = []
  const engine = {
    listRunPage: async ({ cursor }: { cursor?: string } = {}) => ({
      runs: (pages[cursor === undefined ? 0 : 1] ?? []).map((runId) => ({ runId })),
      ...(cursor === undefined && { next: 'more' }),
    }),
    getRunStatus: async (runId: string) => views[runId],
    resumeRun: async (runId: string) => {
      resumed.push(runId)
      return runId === 'five' ? { accepted: false, reason: 'it is ending' } : { accepted: true }
    },
  }
  const ports = { confirmRestore: async () => ({ ...restored, confirmedAt: 'now' }) }
  const { out, code } = await sop(['restore', '--confirm', '--resume-runs'], { ports, engine: engine as never })
  expect(code).toBe(0)
  expect(resumed.sort()).toEqual(['five', 'four', 'one'])
  expect(out).toContain('2 runs go on.\nStill paused:\n  two: paused by alice\n  three: nobody knows')
  expect(out).toContain('  five: it is ending')
  expect(out).not.toContain('six')
})

test.each([
  [['restore', 'x', '--to', 'y', '--resume-runs']],
  [['restore']],
  [['restore', 'x']],
  [['restore', '--to', 'y']],
  [['restore', 'x', '--confirm']],
])('sop %j is refused before anything is done', async (args) => {
  expect((await sop(args, {})).code).toBe(2)
})
