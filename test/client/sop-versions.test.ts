import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/core/canonical.ts'
import { listVersions, readVersion } from '../../src/client/sop-versions.ts'
import { definitionSample as definition } from '../support/fake-client.ts'

const DIGEST = digestOf(definition)
const ran = (digest: string, runs = 1) => ({
  digest,
  version: '0.9.0',
  runs,
  firstAt: '2026-01-01',
  lastAt: '2026-01-02',
})

const rig = ({ isThere = true, versions = [] as readonly ReturnType<typeof ran>[] } = {}) => {
  const files = [{ path: 'deploy/SOP.md', text: '# Deploy\n' }]
  const entry = {
    name: 'deploy',
    path: 'deploy/SOP.md',
    files,
    compiled: { name: 'deploy', definition, diagnostics: [] },
  }
  return {
    catalog: { get: async () => (isThere ? entry : undefined), list: async () => [] },
    records: {
      index: { versions: async () => versions },
      audit: {
        readDefinition: async (digest: string) => (digest === 'lost' ? undefined : { definition, digest }),
        readSource: async (digest: string) => (digest === 'old' ? { 'SOP.md': '# Old\n' } : undefined),
      },
    },
  } as never
}

describe('listVersions()', () => {
  test('begins with what the file says now, though nothing ran by it', async () => {
    expect(await listVersions(rig({ versions: [ran('old')] }), 'deploy')).toEqual([
      { digest: DIGEST, version: '1.0.0', runs: 0, current: true },
      ran('old'),
    ])
  })

  test('marks the one of the file among those that ran', async () => {
    const versions = [ran('newer'), ran(DIGEST, 4)]
    expect(await listVersions(rig({ versions }), 'deploy')).toEqual([
      { ...ran(DIGEST, 4), current: true },
      ran('newer'),
    ])
  })

  test('knows an SOP whose file is gone by its runs, and refuses one that nobody knows', async () => {
    expect(await listVersions(rig({ isThere: false, versions: [ran('old')] }), 'deploy')).toEqual([ran('old')])
    await expect(listVersions(rig({ isThere: false }), 'deploy')).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('readVersion()', () => {
  test('gives the text of the file, and the kept text of others', async () => {
    const deps = rig({ versions: [ran('old'), ran('older'), ran('lost')] })
    expect(await readVersion(deps, 'deploy', DIGEST)).toMatchObject({
      source: { 'deploy/SOP.md': '# Deploy\n' },
      runs: 0,
    })
    expect(await readVersion(deps, 'deploy', 'old')).toEqual({
      ...ran('old'),
      sop: 'deploy',
      definition,
      source: { 'SOP.md': '# Old\n' },
    })
    expect(await readVersion(deps, 'deploy', 'older')).not.toHaveProperty('source')
  })

  test.each([
    ['lost', 'its definition is not on record'],
    ['of-another-sop', 'no run ran by it'],
  ])('refuses %j', async (digest, reason) => {
    const deps = rig({ versions: [ran('lost')] })
    await expect(readVersion(deps, 'deploy', digest)).rejects.toMatchObject({
      code: 'not_found',
      message: expect.stringContaining(reason) as string,
    })
  })
})
