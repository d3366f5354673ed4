import { describe, expect, test } from 'vitest'
import { absoluteGlob, type Glob, readGlob, watchProblem } from '../../../src/core/trigger/glob.ts'
import { processorMs } from '../../support/processor-time.ts'

const globOf = (pattern: string): Glob => {
  const read = readGlob(pattern)
  if (!read.ok) throw new Error(read.reason)
  return read.glob
}

describe('readGlob()', () => {
  test.each([
    ['/job/releases/*.tar.gz', '/job/releases/app.tar.gz'],
    ['/job/releases/*.tar.gz', '/job/releases//app.tar.gz'],
    ['/srv/drop/**/*.tgz', '/srv/drop/a.tgz'],
    ['/srv/drop/**/*.tgz', '/srv/drop/x/y/a.tgz'],
    ['/in/**', '/in/a/b'],
    ['/in/?.csv', '/in/ä.csv'],
    ['/in/?.csv', '/in/😀.csv'],
    ['/in/[a-c]*.csv', '/in/b1.csv'],
    ['/in/[!a-c]*', '/in/d'],
    ['/in/[]]', '/in/]'],
    ['/in/{a,b}/*.{csv,tsv}', '/in/b/x.tsv'],
    ['/in/{a/b,c}/*', '/in/a/b/x'],
    ['/in/{a,{b,c}}', '/in/c'],
    ['/in/a\\*b', '/in/a*b'],
    ['/in/\\{a\\}', '/in/{a}'],
    ['/in/.*', '/in/.hidden'],
    ['/in', '/in/a/b'],
    ['/in/', '/in/a'],
    ['/in/a.csv', '/in/a.csv'],
    ['/in/*a*a*b', '/in/xaxab'],
    ['**/x', 'x'],
    ['./in/*', 'in/a'],
  ])('%s means %s', (pattern, path) => expect(globOf(pattern).matches(path)).toBe(true))

  test.each([
    ['/job/releases/*.tar.gz', '/job/releases/sub/app.tar.gz'],
    ['/job/releases/*.tar.gz', '/job/releases/.app.tar.gz'],
    ['/job/releases/*.tar.gz', '/job/releases/app.tar.gz.part'],
    ['/srv/drop/**/*.tgz', '/srv/drop/.git/a.tgz'],
    ['/srv/drop/**/*.tgz', '/srv/dropped/a.tgz'],
    ['/in/**', '/in'],
    ['/in/[!a-c]*', '/in/.d'],
    ['/in/[!a-c]*', '/in/a'],
    ['/in/*', '/in/..'],
    ['/in', '/inside'],
    ['/in', '/in/.hidden'],
    ['/in/a\\*b', '/in/axb'],
    ['/in/{a,b}', '/in/{a,b}'],
  ])('%s does not mean %s', (pattern, path) => expect(globOf(pattern).matches(path)).toBe(false))

  test.each([
    ['/job/releases/*.tar.gz', '/job/releases'],
    ['/srv/*/in/*.csv', '/srv'],
    ['/srv/a/in/x.csv', '/srv/a/in'],
    ['/srv/{a,b}/*', '/srv'],
    ['/{a,b}/*', '/'],
    ['in/*', 'in'],
    ['*', '.'],
  ])('%s begins in %s', (pattern, base) => expect(globOf(pattern).base).toBe(base))

  test.each([
    ['/srv/*/in/*.csv', '/srv', true],
    ['/srv/*/in/*.csv', '/srv/a', true],
    ['/srv/*/in/*.csv', '/srv/a/in', true],
    ['/srv/*/in/*.csv', '/srv/a/out', false],
    ['/srv/*/in/*.csv', '/srv/a/in/more', false],
    ['/srv/**/*.csv', '/srv/a/b/c', true],
    ['/srv/**/*.csv', '/srv/.git', false],
    ['/srv/in', '/srv/in/deep', true],
    ['/srv/in', '/srv/out', false],
  ])('of %s a file may lie below %s: %s', (pattern, folder, may) =>
    expect(globOf(pattern).mayLieBelow(folder)).toBe(may),
  )

  test.each(['', '/a/[b', '/a/{b', '/a/x**', '/a/../b', `/${'x'.repeat(1000)}`, `/${'{a,b}'.repeat(10)}`])(
    'refuses %j',
    (pattern) => expect(readGlob(pattern).ok).toBe(false),
  )

  test('takes time in proportion to the name, whatever its pattern', () => {
    const glob = globOf(`/in/${'*a'.repeat(40)}b`)
    const took = processorMs(() => {
      expect(glob.matches(`/in/${'a'.repeat(255)}`)).toBe(false)
      expect(globOf(`/${'**/'.repeat(30)}x`).matches(`/${'a/'.repeat(300)}y`)).toBe(false)
    })
    expect(took).toBeLessThan(1_000)
  })
})

describe('absoluteGlob()', () => {
  test.each([
    ['in/*.csv', '/srv/app', '/srv/app/in/*.csv'],
    ['./in', '/srv/app/', '/srv/app/in'],
    ['../in/*', '/srv/app', '/srv/in/*'],
    ['/abs/*', '/srv/app', '/abs/*'],
    ['in/*', '/srv/a[1]', '/srv/a\\[1\\]/in/*'],
  ])('%s in %s is %s', (pattern, folder, absolute) => expect(absoluteGlob(pattern, folder)).toBe(absolute))
})

describe('watchProblem()', () => {
  test.each(['/**', '/**/*.csv', '/*/**', '/'])('refuses %s: it means the whole disk', (pattern) =>
    expect(watchProblem(pattern)).toMatch(/whole disk/),
  )
  test.each(['/srv/**', '/*', 'in/**', '../in/*.csv', './x', '**', '/{a,b}/**'])('takes %s', (pattern) =>
    expect(watchProblem(pattern)).toBeUndefined(),
  )
})
