import type { RunScreenClient } from '../../src/client/run-screen-client.ts'

const runId = 'sop_run_abc123'
const log = { stepNumber: 1, attempt: 1, source: 'step', item: 2 }

/** Answers with every key that there can be, so that a schema that forgets one is found. */
export const runScreenSamples: RunScreenClient = {
  getRunTimeline: async () => ({
    runId,
    status: 'failed',
    sequence: 9,
    from: '2026-02-25T16:00:00.000Z',
    to: '2026-02-25T16:30:00.000Z',
    lanes: 1,
    spans: [{ kind: 'paused', from: '2026-02-25T16:10:00.000Z', label: 'lunch', sequence: 5 }],
    rows: [
      {
        kind: 'step',
        id: '1',
        title: 'Run Tests',
        stepNumber: 1,
        action: 'shell',
        status: 'failed',
        attempt: 1,
        lane: 0,
        needs: [],
        spans: [
          {
            kind: 'work',
            from: '2026-02-25T16:00:00.000Z',
            to: '2026-02-25T16:10:00.000Z',
            outcome: 'failed',
            attempt: 1,
            item: 1,
            label: 'web1',
            by: 'olga',
            sequence: 3,
          },
        ],
        omitted: 3,
        items: { total: 1, pending: 0, running: 0, success: 0, failed: 1, skipped: 0, unknown: 0, shown: [] },
        child: 'sop_run_abc123-s1-1',
        runsOn: 'dba',
        error: 'exit code 1',
        reason: 'none',
        exitCode: 1,
      },
    ],
  }),
  getRunNext: async () => ({
    runId,
    sequence: 9,
    items: [{ kind: 'step', id: '2', title: 'Back up', stepNumber: 2, runs: 'yes', now: true, undo: true }],
    total: 1,
    then: 'failed',
  }),
  getRunControls: async () => ({
    runId,
    sequence: 9,
    controls: [
      {
        name: 'cancel',
        verb: 'cancel',
        about: 'run',
        label: 'Cancel',
        body: {
          gate: 'g',
          step: 1,
          attempt: 1,
          item: 1,
          covers: 'c',
          rollback: true,
          failed: true,
          outcome: 'did_not_run',
        },
        allowed: false,
        reason: 'The run is already failed',
        code: 'conflict',
        leadsTo: 'cancelled',
        secondLook: true,
        secrets: ['token'],
      },
    ],
    waiting: [],
    temporalUrl: 'http://127.0.0.1:8233/namespaces/default/workflows/sop_run_abc123',
  }),
  listLogs: async () => ({
    runId,
    logs: [log],
    total: 1,
    removed: { at: '2026-03-25T16:30:00.000Z', reason: 'they were older than 30d' },
  }),
  readLogRows: async () => ({
    runId,
    ...log,
    from: 0,
    rows: ['All tests passed'],
    unfinished: [0],
    total: 1,
    bytes: 17,
    complete: true,
    truncated: true,
    counting: true,
  }),
  followLogSize: async function* () {
    yield { runId, ...log, bytes: 17, complete: true }
  },
  searchLog: async () => ({ runId, ...log, matches: [0], next: 1 }),
}
