import { execFile } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sop as sample, summary } from './support/samples.ts'
import { sop } from './support/sop.ts'

const engine = {
  listSops: async () => [sample({ name: 'deploy-a' }), sample({ name: 'deploy-b' })],
  listRuns: async () => [summary()],
}
const complete = async (...words: string[]) =>
  (await sop(['__complete', ...words], { engine })).out.split('\n').filter((line) => line !== '')

describe('__complete', () => {
  test.each([
    [['st'], ['status']],
    [
      ['run', 'dep'],
      ['deploy-a', 'deploy-b'],
    ],
    [
      ['run', '--mode', 's'],
      ['supervised', 'step_by_step'],
    ],
    [['run', 'deploy-a', '--d'], ['--dry-run']],
    [
      ['runs', '--sop', ''],
      ['deploy-a', 'deploy-b'],
    ],
    [['status', 'sop_'], ['sop_run_01JABCDEF']],
    [['approve', 'x', '--step', ''], []],
    [
      ['token', ''],
      ['create', 'list', 'revoke'],
    ],
    [['completion', 'b'], ['bash']],
    [['help', 'exit'], ['exit-codes']],
    [['nonsense', ''], []],
    [['list', '--js'], ['--json']],
    [['run', '--json', '--url', 'x', 'deploy-a', '--dry'], ['--dry-run']],
    [
      ['run', '--help', '--version', 'deploy-'],
      ['deploy-a', 'deploy-b'],
    ],
    [['-'], ['--help', '--version', '--json', '--url']],
  ])('%j', async (words, expected) => {
    expect(await complete(...words)).toEqual(expected)
  })

  test('offers all verbs, not itself', async () => {
    expect(await complete('')).toContain('validate')
    expect(await complete('')).not.toContain('__complete')
  })

  test('says nothing and does not fail without an engine', async () => {
    expect(await sop(['__complete', 'run', ''])).toMatchObject({ out: '', err: '', code: 0 })
  })
})

describe('the bash script', () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sop-completion-'))
    const program = join(folder, 'sop')
    // Stands in for the program: shows the words that the script hands over.
    await writeFile(program, '#!/bin/sh\nshift\nfor word in "$@"; do echo "[$word]"; done\n')
    await chmod(program, 0o755)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('asks with the words up to the cursor, the empty one included', async () => {
    const { out } = await sop(['completion', 'bash'])
    const script = `${out}\nCOMP_WORDS=(sop run "a b" "" later); COMP_CWORD=3; _sop; printf '%s\\n' "\${COMPREPLY[@]}"`
    const { stdout } = await promisify(execFile)('bash', ['--norc', '-c', script], {
      env: { PATH: `${folder}:${process.env.PATH ?? ''}` },
    })
    expect(stdout).toBe('[run]\n[a b]\n[]\n')
  })
})

test.each(['zsh', 'fish'])('%s has a script that asks sop __complete', async (shell) => {
  const { out, code } = await sop(['completion', shell])
  expect(out).toContain('sop __complete')
  expect(code).toBe(0)
})

test('another shell is a usage error', async () => {
  expect((await sop(['completion', 'tcsh'])).code).toBe(2)
})
