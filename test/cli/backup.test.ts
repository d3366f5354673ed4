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
  expect((await sop(['restore', '--confirm'], { ports })).out).toMatch(/^Confirmed: .*sop runs --state paused/)
})

test.each([[['restore']], [['restore', 'x']], [['restore', '--to', 'y']], [['restore', 'x', '--confirm']]])(
  'sop %j is refused before anything is done',
  async (args) => {
    expect((await sop(args, {})).code).toBe(2)
  },
)
