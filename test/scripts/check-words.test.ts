import { expect, test } from 'vitest'
import { findWords } from '../../scripts/check-words.mjs'

// Put together here, so that this file does not hold what it forbids.
const note = ['TO', 'DO'].join('')

test.each([
  ['src/a.ts', `// ${note}: later`],
  ['docs/a.md', `- ${note} write this`],
  ['Dockerfile', `# ${note}`],
  ['.ci/run.sh', `# ${['FIX', 'ME'].join('')}`],
  ['test/a.test.ts', ['test', 'only'].join('.') + `('x', () => {})`],
  ['test/a.test.ts', ['describe', 'skip'].join('.') + `('x', () => {})`],
  ['test/a.test.ts', ['test', 'each', 'only'].join('.') + `([1])('x', () => {})`],
  ['test/a.test.ts', ['it', 'todo'].join('.') + `('x')`],
  ['src/core/a.ts', 'const at = new Date()'],
])('%s may not hold: %s', (path, text) => {
  expect(findWords(path, `first\n  ${text}\n`)).toEqual([expect.stringMatching(`^${path.replace('.', '\\.')}:2: `)])
})

test.each([
  ['src/a.ts', 'const todos = todo.list'],
  ['test/a.test.ts', `context.skip('no Go: install it')`],
  ['test/a.test.ts', 'test.skipIf(win)("x", () => {})'],
  ['src/a.ts', ['test', 'only'].join('.')],
  ['src/core/a.ts', 'const at = new Date(iso)'],
  ['src/api/a.ts', 'const at = new Date()'],
  ['a.png', note],
])('%s may hold: %s', (path, text) => {
  expect(findWords(path, text)).toEqual([])
})
