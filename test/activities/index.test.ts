import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createActivities } from '../../src/activities/index.ts'
import { SopError } from '../../src/core/errors.ts'
import type { RunEvent } from '../../src/core/run/event.ts'
import type { PinnedSop } from '../../src/core/run/run.ts'
import { bash, commandRig, event } from './support/command-rig.ts'

const closing = (sequence: number, eventType: 'run_completed' | 'run_failed'): RunEvent =>
  ({ ...event(sequence), eventType, details: { reason: 'x' } }) as unknown as RunEvent

test('the activities have the names that stand in histories', () => {
  expect(Object.keys(createActivities(commandRig().deps)).sort()).toEqual([
    'findGone',
    'findHost',
    'lookAtPool',
    'pinSop',
    'prepareChild',
    'readRunEnd',
    'recordAudit',
    'releaseAdmission',
    'requestAdmission',
    'requestCancel',
    'resolveFacts',
    'runCommand',
    'yieldSlot',
  ])
})

test.each(['run_completed', 'run_failed'] as const)(
  'recordAudit() clears a run away once its %s is recorded',
  async (type) => {
    const { deps, run, env, dir } = commandRig()
    const { recordAudit } = createActivities(deps)
    await deps.vault.put('sop_run_1', 'pin', '1234')
    await run(bash('touch $SOP_RUN_DIR/f'))
    const record = (...events: readonly RunEvent[]) =>
      env.run(recordAudit, { runId: 'sop_run_1', sop: 'deploy', events })
    expect(await record(event(1))).toEqual({ ackedSeq: 1 })
    expect(await deps.vault.get('sop_run_1', 'pin')).toBe('1234')
    expect(await record(closing(2, type))).toEqual({ ackedSeq: 2 })
    expect(await deps.vault.get('sop_run_1', 'pin')).toBeUndefined()
    expect(existsSync(join(dir, 'scratch', 'sop_run_1'))).toBe(type === 'run_failed')
  },
)

test('recordAudit() keeps everything as long as the end is not recorded', async () => {
  const rig = commandRig()
  const { recordAudit } = createActivities({ ...rig.deps, audit: { ...rig.deps.audit, append: async () => 1 } })
  await rig.deps.vault.put('sop_run_1', 'pin', '1234')
  const task = { runId: 'sop_run_1', sop: 'deploy', events: [closing(2, 'run_completed')] }
  expect(await rig.env.run(recordAudit, task)).toEqual({ ackedSeq: 1 })
  expect(await rig.deps.vault.get('sop_run_1', 'pin')).toBe('1234')
})

test('pinSop() keeps the definition that it pins', async () => {
  const rig = commandRig()
  const pinned = { digest: 'd1', definition: { name: 'deploy' } } as unknown as PinnedSop
  const { pinSop } = createActivities({ ...rig.deps, pinSop: async () => pinned })
  expect(await rig.env.run(pinSop, { name: 'deploy' })).toEqual(pinned)
  expect(await rig.deps.audit.readDefinition('d1')).toEqual(pinned)
})

test.each([
  ['not_found', true],
  ['invalid', true],
  ['unavailable', false],
] as const)('a refusal with code %s is a failure of that type', async (code, nonRetryable) => {
  const { deps, env } = commandRig()
  const { pinSop } = createActivities({
    ...deps,
    pinSop: () => Promise.reject(new SopError(code, 'Cannot', { a: 1 })),
  })
  const pinning = env.run(pinSop, { name: 'x' })
  await expect(pinning).rejects.toMatchObject({ type: code, nonRetryable, message: 'Cannot', details: [{ a: 1 }] })
})

test('resolveFacts() tells what has no value, and gives the rest', async () => {
  const { deps, env } = commandRig()
  const resolveFact = async (name: string) => {
    if (name === 'broken') throw new Error('no answer')
    return name.length
  }
  const { resolveFacts } = createActivities({ ...deps, resolveFact })
  expect(await env.run(resolveFacts, { runId: 'r', names: ['abc', 'broken'] })).toEqual({
    values: { abc: 3 },
    errors: { broken: 'no answer' },
  })
  expect(await env.run(resolveFacts, { runId: 'r', names: ['ab'] })).toEqual({ values: { ab: 2 } })
})
