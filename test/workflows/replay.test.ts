import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { fold } from '../../src/core/run/evolve.ts'
import { viewOf } from '../../src/core/run/view.ts'
import type { Findings } from '../../src/engine/upgrade/compare.ts'
import { differencesOf } from '../../src/engine/upgrade/differences.ts'
import { startTestEngine, type TestEngine } from '../support/engine.ts'
import { CASES } from './corpus/cases.ts'
import { fixtureNames, isOfRun, readFixture } from './corpus/fixture.ts'
import { replayCorpus } from './corpus/replay.ts'
import { recordCase } from './corpus/record.ts'

// replay.test.ts: runs of earlier versions, parked or closed, go on under the code of today (guarantee 6). Each fixture
// is a history as Temporal kept it, with the events and the view that it led to. They are wire format: one that no longer
// replays means that parked runs break. New ones are added with UPDATE=1, which never rewrites those that are there.

const names = fixtureNames()

describe('a history of the corpus', () => {
  let found: ReadonlyMap<string, Findings>
  beforeAll(async () => {
    found = await replayCorpus(inject('workflowBundlePath'))
  }, 180_000)

  test.each(names)('%s replays on the code of today, with the same effects and to the same view', (name) => {
    expect(found.get(name)).toMatchObject({ breaks: [] })
  })

  test.each(names)('%s leads to the view that it led to', (name) => {
    const fixture = readFixture(name)
    if (!isOfRun(fixture)) return
    // That a view says more than it did is how it grows, and no break.
    expect(differencesOf(fixture.view, viewOf(fold(fixture.seed, fixture.events))).changed).toEqual([])
  })
})

test('the corpus has every case, and no history that no case makes', () =>
  expect(names.map((name) => name.replace(/\.json$/, '')).sort()).toEqual(CASES.map(({ name }) => name).sort()))

// Defined only where asked for, so that a usual run has no skipped tests.
if (process.env['UPDATE'] === '1')
  describe('the corpus', () => {
    let engine: TestEngine
    beforeAll(async () => {
      engine = await startTestEngine({
        policy: {
          maxStepVisits: 10_000,
          poolNoticeMs: 300,
          poolWaitMs: 86_400_000,
          recordLimit: { events: 4, ageMs: 86_400_000 },
        },
        environment: { CORPUS_SECRET: 'corpus-secret-value' },
      })
    })
    afterAll(() => engine.stop())

    test.each(CASES.filter(({ name }) => !names.includes(`${name}.json`)))('gains $name', (wanted) =>
      recordCase(engine, wanted),
    )
  })
