import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/core/compile.ts'
import { frontMatter, single } from './odd-input.ts'

// written-lists.test.ts: what the words of `for_each: [a, b]` mean in Markdown.

const compiled = (setting: string, params: readonly string[] = []) => {
  const front = params.length === 0 ? [] : ['params:', ...params.map((name) => `  ${name}: {}`)]
  const page = ['## Step 1: Patch', '', setting, '', '```bash', 'echo "$item"', '```']
  const files = front.length === 0 ? single(...page) : frontMatter(front.join('\n'), ...page)
  const { definition, diagnostics } = compile({
    files: Object.entries(files).map(([path, text]) => ({ path, text })),
    fallbackName: 'x',
  })
  return { forEach: definition?.steps[0]?.forEach, messages: diagnostics.map(({ message }) => message) }
}

describe('for_each in Markdown', () => {
  test.each([
    ['- for_each: [a, b]', ['a', 'b']],
    ['**For each**: [web1.example, db-2]', ['web1.example', 'db-2']],
    ['- for_each: [New York, Paris]', ['New York', 'Paris']],
    ['- for_each: ["a b", c]', ['a b', 'c']],
    ['- for_each: [web1:8080, /srv/data, ops@example.com]', ['web1:8080', '/srv/data', 'ops@example.com']],
    ['- for_each: [one]', ['one']],
    ['- for_each: a, b', ['a', 'b']],
    ['- for_each: [1, 2]', [1, 2]],
  ])('%s is the list of what stands in it', (setting, items) =>
    expect(compiled(setting)).toEqual({ forEach: items, messages: [] }),
  )

  test('words that name values of the SOP are those values', () => {
    expect(compiled('- for_each: [primary, stand_by]', ['primary', 'stand_by'])).toEqual({
      forEach: '[primary, stand_by]',
      messages: [],
    })
    expect(compiled('- for_each: [params.primary, "x"]', ['primary']).forEach).toBe('[params.primary, "x"]')
  })

  test('a word that nothing sets, beside one that names a value, is warned about', () => {
    expect(compiled('- for_each: [primary, standby]', ['primary'])).toEqual({
      forEach: '[primary, standby]',
      messages: ['Nothing sets "standby" in for_each "[primary, standby]"'],
    })
  })

  test('a name that nothing sets is warned about', () => {
    expect(compiled('- for_each: hostz', ['hosts']).messages).toEqual(['Nothing sets "hostz" in for_each "hostz"'])
    expect(compiled('- for_each: hosts.filter(h, h != "b")', ['hosts']).messages).toEqual([])
  })

  test.each(['[1, 2].map(n, n * 2)', '[a + "x", b]', '[x for x]]'])('%s is no list of words', (text) =>
    expect(compiled(`- for_each: ${text}`).forEach).not.toBeInstanceOf(Array),
  )
})
