import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { compile } from '../../../src/core/compile.ts'
import { renderPlace } from '../../../src/core/diagnostic.ts'
import { render } from '../../../src/core/render.ts'

// The SOPs of the seeds (restored where their text was damaged) and of dialect Z, with what the compiler makes of them.
// `UPDATE=1` writes expected.json anew; read the difference before you keep it.

const root = fileURLToPath(new URL('../../fixtures/sop/', import.meta.url))
const FILES = ['SOP.toml', 'manifest.json', 'SOP.md']

const names = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

/** A folder with one Markdown file of another name stands for that file alone. */
const compileFixture = (name: string) => {
  const files = readdirSync(join(root, name)).filter((file) => file !== 'expected.json')
  const single = files.find((file) => !FILES.includes(file))
  const read = (file: string): string => readFileSync(join(root, name, file), 'utf8')
  if (single !== undefined) {
    return compile({
      files: [{ path: single, text: read(single) }],
      fallbackName: single.slice(0, -extname(single).length),
    })
  }
  const found = FILES.filter((file) => files.includes(file))
  return compile({ files: found.map((file) => ({ path: `${name}/${file}`, text: read(file) })), fallbackName: name })
}

test.each(names)('compile() reads %s as its reader would', (name) => {
  const { definition, diagnostics } = compileFixture(name)
  const findings = diagnostics.map(
    ({ severity, code, place, message, help }) =>
      `${renderPlace(place)} ${severity} ${code}: ${message}${help === undefined ? '' : ` (${help})`}`,
  )
  const actual = { findings, ...(definition === undefined ? {} : { definition }) }
  const path = join(root, name, 'expected.json')
  if (process.env['UPDATE'] === '1') writeFileSync(path, `${JSON.stringify(actual, null, 2)}\n`)
  expect(JSON.parse(JSON.stringify(actual))).toEqual(JSON.parse(readFileSync(path, 'utf8')))
})

test.each(names)('render() keeps what %s says', (name) => {
  const { definition } = compileFixture(name)
  if (definition === undefined || definition.steps.length === 0) return
  const again = compile({ files: render(definition), fallbackName: definition.name })
  expect(again.definition).toEqual({ ...definition, dialect: 'A' })
})
