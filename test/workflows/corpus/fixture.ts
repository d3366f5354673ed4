import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunEvent } from '../../../src/core/run/event.ts'
import type { RunSeed } from '../../../src/core/run/run.ts'
import type { RunView } from '../../../src/core/run/view.ts'

export const FOLDER = join(import.meta.dirname, '../../fixtures/history')

/** A recorded history. That of the workflow that keeps slots has no run, and so no record. */
export type Fixture = RunFixture | { readonly history: unknown; readonly workflowId: string }

export interface RunFixture {
  readonly history: unknown
  readonly seed: RunSeed
  readonly events: readonly RunEvent[]
  readonly view: RunView
}

export const isOfRun = (fixture: Fixture): fixture is RunFixture => 'seed' in fixture

/** The file names of the corpus. */
export const fixtureNames = (): readonly string[] => readdirSync(FOLDER).filter((name) => name.endsWith('.json'))

export const readFixture = (name: string): Fixture => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Fixture

export const workflowIdOf = (fixture: Fixture): string => (isOfRun(fixture) ? fixture.seed.runId : fixture.workflowId)
