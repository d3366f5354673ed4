// gather.mjs: collects the evidence of a chaos run: what lies on disk, what Temporal has, and what the engine shows.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createFileLogs } from '../../dist/adapters/file-logs.js'
import { parseRecord } from '../../dist/core/record-lines.js'
import { fold } from '../../dist/core/run/evolve.js'
import { RULES_VERSION } from '../../dist/core/run/run.js'
import { viewOf } from '../../dist/core/run/view.js'
import { historyOf } from './history.mjs'

/** @typedef {{ temporal: import('@temporalio/client').Client, paths: { dataDir: string, ledger: string } }} Sources */

/** @param {string} path @returns {Promise<readonly import('./evidence.d.ts').Effect[]>} */
export const readLedger = async (path) => {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text.split('\n').flatMap((line) => {
    const [runId, work, attempt, at] = line.split(' ')
    return at === undefined ? [] : [{ runId, work, attempt: Number(attempt), at: Number(at) }]
  })
}

const recordsIn = async (root) =>
  (await readdir(root, { recursive: true }).catch(() => [])).filter(
    (name) => name.endsWith('.jsonl') && !name.endsWith('.forks.jsonl'),
  )

/** How many events are on record by now. @param {string} dataDir */
export const countEvents = async (dataDir) => {
  const root = join(dataDir, 'audit')
  const texts = await Promise.all((await recordsIn(root)).map((file) => readFile(join(root, file), 'latin1')))
  return texts.reduce((sum, text) => sum + text.split('\n').length - 1, 0)
}

/** Every run that has a record. @param {Sources} sources @returns {Promise<readonly import('./evidence.d.ts').RunEvidence[]>} */
export const gatherRuns = async (sources) => {
  const root = join(sources.paths.dataDir, 'audit')
  const rows = await readIndex(sources.paths.dataDir)
  const runs = []
  for (const file of await recordsIn(root)) runs.push(await gatherRun(sources, join(root, file), rows))
  return runs
}

const gatherRun = async ({ temporal, paths }, file, rows) => {
  const record = parseRecord(await readFile(file)).events
  const runId = record[0]?.runId ?? file
  const pinned = await readPinned(paths.dataDir, record[0])
  const forks = await readFile(file.replace(/\.jsonl$/, '.forks.jsonl'), 'utf8').catch(() => '')
  return {
    runId,
    sop: record[0]?.details.sop ?? '',
    steps: pinned === undefined ? [] : stepsOf(pinned.definition, paths.ledger),
    record,
    forks: forks.split('\n').filter((line) => line !== '').length,
    folded: pinned === undefined ? undefined : plain(viewOf(fold(seedOf(record[0], pinned), record))),
    shown: await shownOf(temporal, runId),
    listed: rows.get(runId),
    history: await historyOf(temporal, runId),
    logs: await readLogs(paths.dataDir, runId),
  }
}

/** The same keys in the same order, whoever made the object. */
const plain = (value) =>
  Array.isArray(value)
    ? value.map(plain)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.keys(value)
            .sort()
            .filter((key) => value[key] !== undefined)
            .map((key) => [key, plain(value[key])]),
        )
      : value

const shownOf = async (temporal, runId) => {
  for (let attempt = 1; ; attempt++) {
    try {
      return plain(await temporal.workflow.getHandle(runId).query('status'))
    } catch (error) {
      if (attempt === 5) return { error: error instanceof Error ? error.message : String(error) }
    }
  }
}

const readPinned = async (dataDir, created) => {
  const digest = created?.eventType === 'run_created' ? created.details.digest : undefined
  if (digest === undefined) return undefined
  return JSON.parse(await readFile(join(dataDir, 'definitions', `${digest}.json`), 'utf8'))
}

const seedOf = (created, pinned) => ({
  runId: created.runId,
  rulesVersion: RULES_VERSION,
  pinned,
  params: created.details.params,
  trigger: created.details.trigger,
  startedBy: created.principal,
  via: created.via,
  mode: created.details.effectiveMode,
  ...(created.details.parent && { parent: created.details.parent }),
})

const scriptsOf = (commands) => (commands ?? []).map(({ script }) => script).join('\n')

/** What the checker has to know of each step. @param {object} definition @param {string} ledger */
const stepsOf = (definition, ledger) =>
  definition.steps.map((step, index) => ({
    number: step.number,
    kind: step.action.kind,
    idempotent: step.idempotent === true,
    marks: step.action.kind === 'shell' && scriptsOf(step.action.commands).includes(ledger),
    undoMarks: scriptsOf(step.rollback).includes(ledger),
    hasGate: step.requiresApproval === true,
    isEach: step.forEach !== undefined,
    needs: step.needs ?? (index === 0 ? [] : [definition.steps[index - 1].number]),
  }))

/** The last row of each run. @param {string} dataDir */
const readIndex = async (dataDir) => {
  const text = await readFile(join(dataDir, 'runs', 'index.jsonl'), 'utf8').catch(() => '')
  const rows = text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
  return new Map(rows.map(({ runId, status, sequence }) => [runId, { status, sequence }]))
}

const readLogs = async (dataDir, runId) => {
  const logs = createFileLogs({ dataDir })
  const keys = await logs.list(runId)
  return Promise.all(
    keys.map(async (key) => {
      const { bytes } = await logs.read(key, 0, 1_000_000)
      return { work: key.executableId, attempt: key.attempt, text: Buffer.from(bytes).toString('utf8') }
    }),
  )
}

/** Who holds or awaits a slot. @param {import('@temporalio/client').Client} temporal @returns {Promise<readonly string[]>} */
export const slotsOf = async (temporal) => {
  try {
    const { holders, waiting } = await temporal.workflow.getHandle('sop_admission').query('queue')
    return [...holders, ...waiting].map(({ runId }) => runId)
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowNotFoundError') return []
    throw error
  }
}
