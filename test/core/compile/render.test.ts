import fc from '../../support/laws.ts'
import { expect, test } from 'vitest'
import { compile } from '../../../src/core/compile.ts'
import { hasErrors } from '../../../src/core/diagnostic.ts'
import { render } from '../../../src/core/render.ts'
import { definitions } from './definitions.ts'

const RUNS = Number(process.env.FC_RUNS ?? 200)

test('compile() of render() gives the definition back', () => {
  fc.assert(
    fc.property(definitions, (definition) => {
      const files = render(definition)
      const compiled = compile({ files, fallbackName: definition.name })
      const errors = compiled.diagnostics.filter(({ severity }) => severity === 'error')
      if (hasErrors(compiled.diagnostics))
        throw new Error(`${JSON.stringify(errors, null, 1)}\n${files.map(({ text }) => text).join('\n-----\n')}`)
      expect(compiled.definition).toEqual(definition)
    }),
    { numRuns: RUNS },
  )
}, 60_000)
