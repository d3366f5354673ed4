import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../src/cli/commands.ts'
import { parseCommandLine } from '../../src/cli/program.ts'
import { codeOf, fencesOf, type Found, pages, ROOT } from './markdown.ts'

/** `sop …` as it is typed, up to what the shell would end it with. */
const COMMAND = /^(?:npx )?sop ((?:[^|;&#`'"]|'[^']*'|"[^"]*")+)/

/** The words of a simple command line, as a shell splits them. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g)].map(([word]) => word.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'))

const fault = (line: string): string | undefined => {
  const words = wordsOf(COMMAND.exec(line)?.[1] ?? '')
  try {
    parseCommandLine({ name: 'sop', summary: '', commands: COMMANDS, colour: false }, words)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

const isCommand = ({ text }: Found): boolean => COMMAND.test(text) && !text.includes('…')

describe.each(pages().map((page) => [page.path, page] as const))('%s', (_, page) => {
  test('shows only commands that sop understands', () => {
    const lines = fencesOf(page)
      .filter(({ language }) => /^(bash|sh|console)\b/.test(language))
      .flatMap(({ text, place }) => text.split('\n').map((line) => ({ text: line.replace(/^\$ /, ''), place })))
    const faultOf = ({ text, place }: Found): string[] => {
      const message = fault(text)
      return message === undefined ? [] : [`${place} ${text}: ${message}`]
    }
    const mentions = codeOf(page).filter(isCommand).flatMap(faultOf)
    // A sentence may name a verb without saying which run.
    const wrong = mentions.filter((message) => !message.includes('missing required argument'))
    expect([...lines.filter(isCommand).flatMap(faultOf), ...wrong]).toEqual([])
  })
})

const sops = readdirSync(join(ROOT, 'sops'), { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.md'),
)

test.each(sops)('sops/%s tells its readers commands that sop understands', (path) => {
  const text = readFileSync(join(ROOT, 'sops', path), 'utf8')
  const commands = [...text.matchAll(/`(sop [a-z][^`]+)`/g)].map(([, command = '']) => command)
  expect(commands.flatMap((command) => fault(command) ?? [])).toEqual([])
})
