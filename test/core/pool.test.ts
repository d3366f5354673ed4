import { describe, expect, test } from 'vitest'
import { compile } from '../../src/core/compile.ts'
import { executablesOf } from '../../src/core/executables.ts'
import { parsePool, poolQueue, poolText, readPool, servedBy } from '../../src/core/pool.ts'
import { command, sopOf } from '../support/definitions.ts'

const text = (written: string): string => {
  const found = parsePool(written)
  return found.ok ? poolText(found.pool) : found.reason
}

describe('parsePool()', () => {
  test.each([
    ['dba', 'dba'],
    ['dba[eu]', 'dba[eu]'],
    [' dba [ssd, eu,ssd] ', 'dba[eu,ssd]'],
    ['dba[disk=ssd]', 'dba[disk=ssd]'],
    ['dba[]', 'dba'],
  ])('reads %s as %s', (written, read) => expect(text(written)).toBe(read))

  test.each(['', 'd b', '[eu]', 'dba[e u]', 'dba[a,b,c,d,e]', 'dba[eu', 'dba[eu]x', 'ä', `d${'x'.repeat(63)}`])(
    'refuses %j',
    (written) => expect(parsePool(written).ok).toBe(false),
  )
})

describe('servedBy()', () => {
  test('is the pool with every set of the labels, spelled as steps spell it', () => {
    const found = readPool('dba', ['ssd', 'eu'])
    if (!found.ok) throw new Error(found.reason)
    expect([...servedBy(found.pool)].sort()).toEqual(['dba', 'dba[eu,ssd]', 'dba[eu]', 'dba[ssd]'])
  })

  test('the queue is that of the engine with the pool behind it', () => {
    expect(poolQueue('sop', 'dba')).toBe('sop-pool-dba')
    expect(poolQueue('sop', 'dba[eu]')).toBe('sop-pool-dba[eu]')
  })
})

describe('runs_on', () => {
  const runsOn = (line: string): string | undefined => {
    const source = `---\nname: x\n---\n## Step 1: A\n${line}\n\n\`\`\`bash\ntrue\n\`\`\`\n`
    const { definition, diagnostics } = compile({ files: [{ path: 'x.md', text: source }], fallbackName: 'x' })
    return definition === undefined ? diagnostics[0]?.message : definition.steps[0]?.runsOn
  }
  test.each([
    ['- runs_on: dba', 'dba'],
    ['- runs_on: dba, ssd, eu', 'dba[eu,ssd]'],
    ['- runs_on: dba[ssd, eu]', 'dba[eu,ssd]'],
    ['- runs_on: [dba, ssd, eu]', 'dba[eu,ssd]'],
    ['**Runs on**: `dba[eu]`', 'dba[eu]'],
  ])('%s is %s', (line, pool) => expect(runsOn(line)).toBe(pool))

  test('in a bracket list it keeps its labels', () => {
    const source = '---\nname: x\n---\n## Step 1: A [runs_on: dba[ssd, eu], timeout: 5m]\n\n```bash\ntrue\n```\n'
    const { definition } = compile({ files: [{ path: 'x.md', text: source }], fallbackName: 'x' })
    expect(definition?.steps[0]).toMatchObject({ runsOn: 'dba[eu,ssd]', timeoutMs: 300_000 })
  })

  test('a list in TOML is the pool and its labels', () => {
    const files = [
      {
        path: 'x/SOP.toml',
        text: '[sop]\nname = "x"\n[[steps]]\ntitle = "A"\ncommands = ["true"]\nruns_on = ["dba", "eu"]\n',
      },
    ]
    expect(compile({ files, fallbackName: 'x' }).definition?.steps[0]?.runsOn).toBe('dba[eu]')
  })

  test('what is no pool is refused where it stands', () => {
    expect(runsOn('- runs_on: d b')).toContain('"d b" is no name of a pool')
  })

  test('all commands of a step are signed for its pool', () => {
    const step = { runsOn: 'dba', verify: [command('v')], rollback: [command('r')] }
    const http = { action: { kind: 'http', method: 'GET', url: 'http://x' } as const, runsOn: 'web' }
    const executables = executablesOf(sopOf({ steps: [step, http, {}] }))
    expect(Object.entries(executables).map(([id, { runsOn: pool }]) => [id, pool])).toEqual([
      ['step:1', 'dba'],
      ['verify:1', 'dba'],
      ['rollback:1', 'dba'],
      ['step:2', 'web'],
      ['step:3', undefined],
    ])
  })
})
