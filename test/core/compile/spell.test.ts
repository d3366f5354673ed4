import { expect, test } from 'vitest'
import { spell } from '../../../src/core/dialect/spell.ts'

test.each([
  ['SOP.toml', 'name', 'bad-sop', 'name = "bad-sop"'],
  ['SOP.TOML', 'choices', ['a', 'b c'], 'choices = ["a", "b c"]'],
  ['sop.json', 'name', 'say "it"', '"name": "say \\"it\\""'],
  ['sop.json', 'choices', ['a'], '"choices": ["a"]'],
  ['deploy.md', 'name', 'bad-sop', 'name: bad-sop'],
  ['deploy.yaml', 'timezone', 'Europe/Berlin', 'timezone: Europe/Berlin'],
  ['deploy.md', 'event', 'deploy.failed', 'event: deploy.failed'],
  ['deploy.yml', 'choices', ['…', '…'], 'choices: ["…", "…"]'],
  ['deploy.md', 'name', '2-sop', 'name: "2-sop"'],
  ['deploy.md', 'name', 'no', 'name: "no"'],
  ['a folder.toml/deploy.md', 'name', 'x', 'name: x'],
  ['SOP', 'name', 'x', 'name: x'],
])('in %s, setting %s of %j is spelled %s', (file, key, value, written) => {
  expect(spell({ file }, key, value)).toBe(written)
})
