import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js'
import {
  compareRecord,
  compareReplay,
  compareView,
  type Findings,
  join,
  NOTHING,
} from '../../../src/engine/upgrade/compare.ts'
import { replayAll } from '../../../src/engine/upgrade/replay.ts'
import { createLog } from '../../../src/log.ts'
import { installRuntime } from '../../../src/worker/worker.ts'
import { fixtureNames, isOfRun, readFixture, workflowIdOf } from './fixture.ts'

/** Plays histories of the corpus against a bundle, and compares as `sop check-upgrade` does. By file name. */
export const replayCorpus = async (
  codePath: string,
  names: readonly string[] = fixtureNames(),
): Promise<ReadonlyMap<string, Findings>> => {
  installRuntime(createLog({ level: 'error' }))
  const all = names.map((name) => {
    const fixture = readFixture(name)
    return { workflowId: workflowIdOf(fixture), history: historyFromJSON(fixture.history), subject: { name, fixture } }
  })
  const found = new Map<string, Findings>()
  for await (const replayed of replayAll({ codePath }, all)) {
    const { state, subject } = replayed
    const ofState =
      isOfRun(subject.fixture) && state?.of === 'run'
        ? join(compareView(state, subject.fixture.view), compareRecord(state, subject.fixture.events))
        : NOTHING
    found.set(subject.name, join(compareReplay(replayed), ofState))
  }
  return found
}
