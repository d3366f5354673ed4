import { expect, test } from 'vitest'
import { broken, sop as sample, summary } from './support/samples.ts'
import { sop } from './support/sop.ts'

const cel = (text: string) => ({ text, cel: text, names: [text] })

const SEED_003 = [
  sample({
    name: 'incident-response',
    priority: 'high',
    triggers: [{ type: 'webhook', path: '/incident' }, { type: 'manual' }],
    conditions: { requires: [cel('ON_CALL_AVAILABLE'), cel('PROD_DOWN')] },
  }),
  sample({ name: 'daily-backup', mode: 'auto', triggers: [{ type: 'cron', expression: '0 2 * * *' }] }),
  sample({
    name: 'deploy-prod',
    priority: 'critical',
    mode: 'step_by_step',
    conditions: { requires: [cel('tests_passed'), cel('staging_verified')] },
  }),
  sample({
    name: 'cleanup-logs',
    priority: 'low',
    mode: 'auto',
    triggers: [{ type: 'cron', expression: '0 0 * * 0' }],
    conditions: { expression: cel('disk_usage > 80%') },
  }),
]

const BLOCK = `=== SOP Engine ===
Available SOPs: 4

1. incident-response ⚡ HIGH (supervised)
   Triggers: webhook:/incident, manual
   Conditions: ON_CALL_AVAILABLE, PROD_DOWN

2. daily-backup 🕐 NORMAL (auto)
   Triggers: cron:0 2 * * *
   Conditions: none

3. deploy-prod 🚀 CRITICAL (step_by_step)
   Triggers: manual
   Conditions: tests_passed, staging_verified

4. cleanup-logs 🧹 LOW (auto)
   Triggers: cron:0 0 * * 0
   Conditions: disk_usage > 80%
`

test('list prints the block of seed 003 to the letter', async () => {
  const { code, out } = await sop(['list'], { engine: { listSops: async () => SEED_003 } })
  expect(out).toBe(BLOCK)
  expect(code).toBe(0)
})

test.each([{ LC_ALL: 'C', LANG: 'de_DE.UTF-8' }, { LC_CTYPE: 'POSIX' }, { LANG: 'de_DE.ISO-8859-1' }])(
  'list shows no emoji under %o',
  async (env) => {
    const { out } = await sop(['list'], { env, engine: { listSops: async () => SEED_003 } })
    expect(out).toContain('1. incident-response HIGH (supervised)\n')
    expect(out).not.toMatch(/\p{Emoji_Presentation}/u)
  },
)

test.each(['en_US.UTF-8', 'C.utf8', 'de_DE.UTF8'])('list shows emoji under LANG=%s', async (LANG) => {
  expect((await sop(['list'], { env: { LANG }, engine: { listSops: async () => SEED_003 } })).out).toContain(
    '🚀 CRITICAL',
  )
})

test('list shows broken SOPs last, with their first error and its place', async () => {
  const { out } = await sop(['list'], {
    engine: { listSops: async () => [sample(), broken('odd', 'Cannot compile SOP "odd": no steps')] },
  })
  expect(out).toContain('Available SOPs: 1\n')
  expect(out).toContain('SOPs with errors: 1\n\n2. odd\n   Error: Cannot compile SOP "odd": no steps (odd.md:3:1)\n')
})

test('list says how to begin when there are no SOPs', async () => {
  const { out, code } = await sop(['list'], { engine: { listSops: async () => [] } })
  expect(out).toBe('=== SOP Engine ===\nAvailable SOPs: 0\n\nNo SOPs yet. Create one: sop create NAME\n')
  expect(code).toBe(0)
})

test('list --long adds version, file, last run in UTC, and what stands in the way', async () => {
  const blocked = sample(
    { name: 'later' },
    {
      startable: false,
      blockers: ['Cannot start "later": needs is not carried out yet'],
      notices: ['mqtt is not served'],
    },
  )
  const engine = {
    listSops: async () => [sample(), blocked],
    listRuns: async () => [summary({ status: 'completed' }), summary({ runId: 'older' })],
  }
  const { out } = await sop(['list', '--long'], { engine })
  expect(out).toContain('   Version: 1.0.0\n   Description: Deploy it\n   File: deploy/SOP.toml\n')
  expect(out).toContain('   Last run: sop_run_01JABCDEF completed, 2026-02-25 12:57:00 UTC\n')
  expect(out).toContain(
    '   Last run: never\n   Cannot start: Cannot start "later": needs is not carried out yet\n   Note: mqtt is not served\n',
  )
})

test('list --json prints the SOPs and nothing else', async () => {
  const { json, err } = await sop(['list', '--json'], { terminal: true, engine: { listSops: async () => SEED_003 } })
  expect(json()).toEqual(SEED_003)
  expect(err).toBe('')
})

test('list writes control characters out instead of obeying them', async () => {
  const engine = {
    listSops: async () => [
      sample({ name: 'evil\u001b[2J', triggers: [{ type: 'event', event: 'a\u202eb\u009b1m\r' }] }),
    ],
  }
  const { out } = await sop(['list'], { engine })
  expect(out).toContain('evil\\x1b[2J')
  expect(out).toContain('event:a\\u202eb\\x9b1m\\r')
})

test('list colours only on a terminal, and not with NO_COLOR', async () => {
  const engine = { listSops: async () => SEED_003 }
  expect((await sop(['list'], { engine, terminal: true })).out).toContain('\u001b[')
  expect((await sop(['list'], { engine, terminal: true, env: { NO_COLOR: '1' } })).out).not.toContain('\u001b[')
  expect((await sop(['list'], { engine, env: { FORCE_COLOR: '1' } })).out).toContain('\u001b[')
  expect((await sop(['list'], { engine, env: { FORCE_COLOR: '0' }, terminal: true })).out).not.toContain('\u001b[')
})
