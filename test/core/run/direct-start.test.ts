import { describe, expect, test } from 'vitest'
import { RULES_VERSION } from '../../../src/core/run/run.ts'
import { type StartInput, seedOf } from '../../../src/core/run/seed.ts'
import { sopOf } from '../../support/definitions.ts'
import { seedOf as playedSeed } from '../../support/play.ts'

// A start that somebody types into Temporal's UI or CLI: its workflow reads what the client has read for all others.

const { pinned } = playedSeed(sopOf({ steps: [{ title: 'Deploy' }] }))
const read = (input: object, rulesVersion = RULES_VERSION) =>
  seedOf('typed', { sop: 'test-sop', ...input } as StartInput, { ...pinned, rulesVersion })

describe('seedOf() of a start in Temporal', () => {
  test.each(['params', 'vars', 'variables', 'payload'])('takes "%s" for its params', (word) => {
    const seed = read({ [word]: { version: '2.1.0' } })
    expect(seed).toMatchObject({ params: { version: '2.1.0' }, startedBy: { verified: false } })
    expect(seed.problems).toBeUndefined()
  })

  test.each([
    [
      { parms: { version: '2.1.0' } },
      [
        'Cannot use "parms": a start knows sop, params, vars, variables, payload, executionMode. Did you mean "params"?',
      ],
    ],
    [{ dry_run: true }, ['Cannot use "dry_run": a start knows sop, params, vars, variables, payload, executionMode.']],
    [{ params: {}, vars: { a: 1 } }, ['"params" and "vars" mean the same: give only one of them']],
    [{ vars: ['a'] }, ['"params" is not a JSON object']],
  ])('refuses %j', (input, problems) => {
    expect(read(input).problems).toEqual(problems)
  })

  test('passes over a key that is null, as a form leaves it', () => {
    expect(read({ params: null, vars: { a: 1 }, note: null })).toMatchObject({ params: { a: 1 } })
    expect(read({ note: null }).problems).toBeUndefined()
  })

  test('goes by the rules that its run began with', () => {
    const seed = read({ vars: { a: 1 }, note: 'x' }, 6)
    expect(seed.params).toEqual({})
    expect(seed.problems).toBeUndefined()
  })
})
