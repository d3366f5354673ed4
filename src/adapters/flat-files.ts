import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditListener, RunHeader } from '../activities/deps.ts'
import { encodeFileName } from '../core/file-name.ts'
import { isClosedAfter, logLines, runDocument } from '../core/run-document.ts'
import type { RecordedEvent } from '../core/run/event.ts'
import { applyToState, type StateFold, stateDocument } from '../core/state-document.ts'

// flat-files.ts: the files of seed 004, for scripts that were written against it.

export interface FlatFilesOptions {
  /** `STATE_DIR`: `<run-id>.json`, current after every append. */
  readonly stateDir?: string
  /** `AUDIT_DIR`: `<run-id>.log` grows with the run, `<run-id>.json` (the run document) comes when it closes. */
  readonly auditDir?: string
}

/** Runs whose state is kept in memory between appends. */
const MAX_OPEN_RUNS = 500

interface OpenRun {
  readonly fold: StateFold
  readonly isClosed: boolean
}

export interface FlatFiles extends AuditListener {
  /** Removes the files of a run whose record was removed. */
  remove(runId: string): Promise<void>
}

/** Keeps the flat files in step with the record; does nothing where neither folder is set. */
export const createFlatFiles = ({ stateDir, auditDir }: FlatFilesOptions): FlatFiles => {
  if (stateDir === undefined && auditDir === undefined) return { appended: async () => {}, remove: async () => {} }
  const runs = new Map<string, OpenRun>()

  const advance = async (
    run: RunHeader,
    events: readonly RecordedEvent[],
    history: () => Promise<readonly RecordedEvent[]>,
  ): Promise<OpenRun | undefined> => {
    const known = runs.get(run.runId)
    runs.delete(run.runId)
    const follows = events[0]?.sequence === (known?.fold.summary.sequence ?? 0) + 1
    const [before, news] = follows ? [known, events] : [undefined, await history()]
    const fold = news.reduce<StateFold | undefined>(applyToState, before?.fold)
    if (fold === undefined) return undefined
    const open = { fold, isClosed: isClosedAfter(before?.isClosed ?? false, news) }
    runs.set(run.runId, open)
    for (const runId of runs.keys()) {
      if (runs.size <= MAX_OPEN_RUNS) break
      runs.delete(runId)
    }
    return open
  }

  return {
    remove: async (runId) => {
      runs.delete(runId)
      const name = encodeFileName(runId)
      if (stateDir !== undefined) await rm(join(stateDir, `${name}.json`), { force: true })
      if (auditDir === undefined) return
      for (const ending of ['log', 'json']) await rm(join(auditDir, `${name}.${ending}`), { force: true })
    },
    appended: async (run, events, history) => {
      const open = await advance(run, events, history)
      if (open === undefined) return
      const name = encodeFileName(run.runId)
      if (stateDir !== undefined) await replaceJson(stateDir, name, stateDocument(open.fold))
      if (auditDir === undefined) return
      await mkdir(auditDir, { recursive: true })
      const log = join(auditDir, `${name}.log`)
      if (!open.isClosed) return appendFile(log, events.map(logLines).join(''))
      const all = await history()
      await replaceFile(log, all.map(logLines).join(''))
      await replaceJson(auditDir, name, runDocument(run.sop, all))
    },
  }
}

const replaceJson = async (folder: string, name: string, value: unknown): Promise<void> => {
  await mkdir(folder, { recursive: true })
  await replaceFile(join(folder, `${name}.json`), `${JSON.stringify(value, null, 2)}\n`)
}

/** A reader sees the old file or the new one, never half of it. */
const replaceFile = async (path: string, text: string): Promise<void> => {
  await writeFile(`${path}.tmp`, text)
  await rename(`${path}.tmp`, path)
}
