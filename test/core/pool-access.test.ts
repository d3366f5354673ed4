import { describe, expect, test } from 'vitest'
import { mayKeepLog, mayReadSecrets, mayServe } from '../../src/core/pool-access.ts'
import type { Principal } from '../../src/core/run/principal.ts'
import type { ExecutableId } from '../../src/core/run/task.ts'
import { viewOf } from '../../src/core/run/view.ts'
import { sopOf } from '../support/definitions.ts'
import { ok, Play } from '../support/play.ts'

const worker = (...groups: readonly string[]): Principal => ({ id: 'host-1', kind: 'service', role: 'worker', groups })
const admin: Principal = { id: 'olga', kind: 'user', role: 'admin', groups: ['web'] }

describe('mayServe()', () => {
  test.each<[who: Principal, runsOn: string | undefined, may: boolean]>([
    [worker('dba'), 'dba', true],
    [worker('dba'), 'dba[eu,disk=ssd]', true],
    [worker('dba'), 'web', false],
    [worker('dba', 'web'), 'web', true],
    [worker('dba'), 'dba[', false],
    [worker(), 'web', true],
    [worker(), undefined, false],
    // The groups of anybody else are no pools.
    [admin, 'dba', true],
  ])('%j the steps of %s: %s', (who, runsOn, may) => {
    expect(mayServe(who, runsOn)).toBe(may)
  })
})

const begun = () => new Play(sopOf({ steps: [{ runsOn: 'dba[eu]' }, {}] })).start()

test('a worker may read secret params as long as the run is open and has a step in one of its pools', () => {
  const play = begun()
  expect(mayReadSecrets(worker('dba'), viewOf(play.run))).toBe(true)
  expect(mayReadSecrets(worker('web'), viewOf(play.run))).toBe(false)
  play.ends(ok()).ends(ok())
  expect(mayReadSecrets(worker('dba'), viewOf(play.run))).toBe(false)
})

test.each<[log: ExecutableId, attempt: number, stale: boolean, may: boolean]>([
  ['step:1', 1, false, true],
  ['verify:1', 1, false, true],
  ['rollback:1', 1, false, true],
  ['step:1', 2, false, false],
  ['step:1', 2, true, true],
  ['step:2', 1, false, false],
  ['step:9', 1, true, false],
  ['gate:post_check', 1, true, false],
])(
  'a worker of pool dba may write the log of %s, attempt %i, by a view that is old (%s): %s',
  (log, attempt, old, may) => {
    const view = { ...viewOf(begun().run), ...(old && { stale: true as const }) }
    expect(mayKeepLog(worker('dba'), view, { executableId: log, attempt })).toBe(may)
  },
)
