import { describe, expect, test } from 'vitest'
import type { SopDefinition } from '../../src/core/definition.ts'
import { type PlannedItem, planOf } from '../../src/core/plan.ts'
import type { PinnedChild, RunSeed } from '../../src/core/run/run.ts'
import { command, sopOf, type SopSketch, type StepSketch } from '../support/definitions.ts'
import { seedOf } from '../support/play.ts'

const pinnedChild = (definition: SopDefinition): PinnedChild => ({ definition, digest: 'd', warrants: {} })

const plan = (
  sop: SopDefinition,
  { children = [], ...seed }: Partial<RunSeed> & { readonly children?: readonly SopDefinition[] } = {},
): readonly PlannedItem[] => {
  const whole = seedOf(sop, seed)
  const pinned = {
    ...whole.pinned,
    children: Object.fromEntries(children.map((each) => [each.name, pinnedChild(each)])),
  }
  return planOf({ ...whole, pinned }, { values: {} })
}
const steps = (...sketches: readonly StepSketch[]): SopDefinition => sopOf({ steps: sketches })
const named = (name: string, sketch: Omit<SopSketch, 'name'>): SopDefinition => sopOf({ ...sketch, name })

describe('planOf()', () => {
  test('says of branches what each step waits for, and what may run beside it', () => {
    const items = plan(steps({}, { needs: [1] }, { needs: [1], requiresApproval: true }, { needs: [2, 3] }))
    expect(items.map(({ kind, id, needs, beside }) => [kind, id, needs, beside])).toEqual([
      ['step', '1', [], undefined],
      ['step', '2', [1], [3]],
      ['gate', '3-step_3', undefined, undefined],
      ['step', '3', [1], [2]],
      ['step', '4', [2, 3], undefined],
    ])
  })

  test('says nothing of branches where there are none', () => {
    expect(plan(steps({}, {})).every((item) => item.needs === undefined && item.beside === undefined)).toBe(true)
  })

  test.each([
    ['a list', ['a', 'b'], {}, { total: 2, items: ['a', 'b'], atOnce: 5 }],
    ['a param', 'hosts', { hosts: 'web1, web2,web3' }, { total: 3, items: ['web1', 'web2', 'web3'], atOnce: 5 }],
    ['an expression', 'hosts.filter(h, h != "b")', { hosts: ['a', 'b'] }, { total: 1, items: ['a'], atOnce: 5 }],
    ['an output', 'found', {}, { note: '"found" depends on found', atOnce: 5 }],
    ['an empty list', 'hosts', { hosts: [] }, { total: 0, items: [], atOnce: 5 }],
  ])('shows the items of %s', (_name, forEach, params, each) => {
    const items = plan(steps({ outputs: ['found'] }, { forEach }), { params })
    expect(items[1]?.each).toEqual(each)
  })

  test('says why a list cannot be told, and shows only the first of many items', () => {
    const many = Array.from({ length: 300 }, (_, index) => index)
    const [one, two] = plan(steps({ forEach: 'nobody_sets_it' }, { forEach: many, maxParallel: 2 }))
    expect(one?.each).toMatchObject({ atOnce: 5, note: expect.stringContaining('nobody_sets_it') })
    expect(two?.each).toMatchObject({ total: 300, atOnce: 2 })
    expect(two?.each?.items).toHaveLength(20)
  })

  test('shows what undoes a step, and where a walk back asks', () => {
    const items = plan(
      steps({ rollback: [command('drop it'), { interpreter: 'python', script: 'undo()' }] }, { pointOfNoReturn: true }),
    )
    expect(items).toMatchObject([{ rollback: ['drop it', 'python: undo()'] }, { pointOfNoReturn: true }])
    expect(items[0]).not.toHaveProperty('pointOfNoReturn')
  })

  describe('of an SOP that a step runs', () => {
    const check = named('check', {
      mode: 'supervised',
      params: [
        { name: 'host', type: 'string', required: true },
        { name: 'limit', type: 'number', default: 90 },
      ],
      steps: [
        { title: 'Look', if: 'limit > 80' },
        { title: 'Warn', if: 'host == "db1"' },
      ],
    })

    test('has its own plan, with the params that are known', () => {
      const outer = steps({ action: { kind: 'sop', sop: 'check', with: { host: '$target', limit: 70 } } })
      const [item] = plan(outer, { params: { target: 'db1' }, children: [check] })
      expect(item?.child).toMatchObject({
        sop: 'check',
        mode: 'supervised',
        params: { host: 'db1', limit: 70 },
        items: [{ kind: 'start_gate' }, { title: 'Look', runs: 'no' }, { title: 'Warn', runs: 'yes' }],
      })
    })

    test('does not ask for its start where the start of the outer one is approved', () => {
      const outer = named('outer', {
        mode: 'supervised',
        steps: [{ action: { kind: 'sop', sop: 'check', with: { host: 'x' } } }],
      })
      const [start, item] = plan(outer, { children: [check] })
      expect(start?.kind).toBe('start_gate')
      expect(item?.child?.items.map(({ kind }) => kind)).toEqual(['step', 'step'])
    })

    test('leaves open what only the run can tell', () => {
      const outer = steps(
        { outputs: ['found'] },
        { forEach: ['a'], action: { kind: 'sop', sop: 'check', with: { host: '$found', limit: '$item' } } },
      )
      const [, item] = plan(outer, { children: [check] })
      expect(item?.child?.params).toEqual({})
      expect(item?.child?.items.slice(1)).toMatchObject([
        { runs: 'unknown', note: 'depends on limit' },
        { runs: 'unknown', note: 'depends on host' },
      ])
    })

    test('hides a secret that is handed on', () => {
      const inner = named('inner', { params: [{ name: 'key', type: 'string', secret: true }], steps: [{}] })
      const outer = named('outer', {
        params: [{ name: 'pass', type: 'string', secret: true }],
        steps: [{ action: { kind: 'sop', sop: 'inner', with: { key: '$pass' } } }],
      })
      const [item] = plan(outer, { params: { pass: 'swordfish' }, children: [inner] })
      expect(JSON.stringify(item)).not.toContain('swordfish')
    })

    test('goes down to the SOPs that those run, and stands there once', () => {
      const leaf = named('leaf', { steps: [{ title: 'Leaf' }] })
      const middle = named('middle', { steps: [{ action: { kind: 'sop', sop: 'leaf' } }] })
      const outer = steps(
        { action: { kind: 'sop', sop: 'middle' } },
        { action: { kind: 'sop', sop: 'leaf' } },
        { action: { kind: 'sop', sop: 'middle' } },
      )
      const items = plan(outer, { children: [middle, leaf] })
      expect(items[0]?.child?.items[0]?.child?.items).toMatchObject([{ title: 'Leaf' }])
      expect([items[1]?.child, items[2]?.child]).toEqual([undefined, undefined])
    })
  })
})
