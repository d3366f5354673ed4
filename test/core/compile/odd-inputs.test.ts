import { describe, expect, test } from 'vitest'
import { compile } from '../../../src/core/compile.ts'
import { type Diagnostic, renderDiagnostic, renderPlace } from '../../../src/core/diagnostic.ts'
import { printable } from '../../../src/core/printable.ts'
import type { OddInput } from './odd-input.ts'
import { ODD_MANIFESTS } from './odd-inputs.manifests.ts'
import { ODD_MARKDOWN } from './odd-inputs.markdown.ts'
import { ODD_READINGS } from './odd-inputs.readings.ts'
import { ODD_SETTINGS } from './odd-inputs.settings.ts'
import { ODD_STEPS } from './odd-inputs.steps.ts'
import { ODD_SYNTAX } from './odd-inputs.syntax.ts'
import { ODD_TEXT } from './odd-inputs.text.ts'
import { ODD_TRIGGERS } from './odd-inputs.triggers.ts'
import { ODD_VALUES } from './odd-inputs.values.ts'
import { ODD_ZEROCLAW } from './odd-inputs.zeroclaw.ts'

const TABLES = {
  ODD_SYNTAX,
  ODD_MARKDOWN,
  ODD_STEPS,
  ODD_SETTINGS,
  ODD_TRIGGERS,
  ODD_READINGS,
  ODD_TEXT,
  ODD_VALUES,
  ODD_MANIFESTS,
  ODD_ZEROCLAW,
}

/** The finding as a row writes it: as far as the row tells it. */
const asWritten = (found: Diagnostic, wanted: string | undefined): string => {
  const [message = '', help] = (wanted ?? '').split(' => ')
  const text = `${found.severity} ${found.code} ${renderPlace(found.place)} ${found.message}`
  const shown = wanted === undefined ? text : text.slice(0, message.length)
  return help === undefined ? shown : `${shown} => ${found.help}`
}

describe.each(Object.entries(TABLES))('compile() on %s', (_, rows) => {
  test.each(rows.map(([name, files, wanted, reading]: OddInput) => [name, files, wanted, reading] as const))(
    '%s',
    (_name, files, wanted, reading) => {
      const source = Object.entries(files).map(([path, text]) => ({ path, text }))
      const { definition, diagnostics } = compile({ files: source, fallbackName: 'x' })
      // The first findings say it all; of two hundred nobody writes a row.
      const shown = diagnostics.length > 6 ? diagnostics.slice(0, wanted.length) : diagnostics
      expect(shown.map((found, index) => asWritten(found, wanted[index]))).toEqual(wanted)
      expect(definition === undefined).toBe(diagnostics.some(({ severity }) => severity === 'error'))
      if (reading !== undefined) expect(definition).toMatchObject(reading)
      for (const found of diagnostics) pointsIntoItsFile(found, files)
    },
  )
})

/** Every finding has a place that exists, so that its caret stands under something. */
const pointsIntoItsFile = ({ place, sourceLine, ...found }: Diagnostic, files: Record<string, string>): void => {
  const line = (files[place.file] ?? '').replace(/^\ufeff/, '').split(/\r\n|\n|\r/)[place.line - 1]
  expect(line, `${renderPlace(place)} is no line of ${place.file}`).toBeDefined()
  expect(place.column).toBeGreaterThan(0)
  expect(place.column).toBeLessThanOrEqual((line ?? '').length + 1)
  if (sourceLine !== undefined) expect(sourceLine).toBe(line)
  expect(renderDiagnostic({ place, ...found, ...(sourceLine === undefined ? {} : { sourceLine }) })).toContain(
    printable(found.message),
  )
}

test('the tables hold at least 150 inputs of different names', () => {
  const names = Object.values(TABLES).flatMap((rows) => rows.map(([name]) => name))
  expect(new Set(names).size).toBe(names.length)
  expect(names.length).toBeGreaterThanOrEqual(150)
})
