import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TraceCursors } from '../core/trace/cursors.ts'
import { createInTurn } from './shared/in-turn.ts'

// file-trace-cursors.ts: `traces/cursors.jsonl` has a row for each step forward, and the last row of a run counts.

/** The file is written anew once it has this many rows for each run. */
const ROWS_PER_RUN = 4
const MIN_COMPACTION_ROWS = 2000

interface Row {
  readonly begun?: string
  readonly run?: string
  readonly sequence?: number
}

/** Opens the cursors of a data directory for its one writer. */
export const openFileTraceCursors = async ({ dataDir }: { readonly dataDir: string }): Promise<TraceCursors> => {
  const path = join(dataDir, 'traces', 'cursors.jsonl')
  await mkdir(join(dataDir, 'traces'), { recursive: true, mode: 0o700 })
  const runs = new Map<string, number>()
  let begun: string | undefined
  let rows = 0
  const take = ({ begun: since, run, sequence }: Row): void => {
    if (since !== undefined) begun = since
    if (run !== undefined && sequence !== undefined) runs.set(run, sequence)
  }
  const text = await readFile(path, 'utf8').catch(() => '')
  for (const line of text.split('\n')) take(parseRow(line))

  const all = (): string =>
    [...(begun === undefined ? [] : [{ begun }]), ...[...runs].map(([run, sequence]): Row => ({ run, sequence }))]
      .map(lineOf)
      .join('')
  const compact = async (): Promise<void> => {
    await writeFile(`${path}.tmp`, all(), { mode: 0o600 })
    await rename(`${path}.tmp`, path)
    rows = runs.size
  }
  await compact()
  const append = async (fresh: readonly Row[]): Promise<void> => {
    rows += fresh.length
    if (rows > MIN_COMPACTION_ROWS && rows > ROWS_PER_RUN * runs.size) return compact()
    const file = await open(path, 'a', 0o600)
    try {
      await file.appendFile(fresh.map(lineOf).join(''))
      await file.datasync()
    } finally {
      await file.close()
    }
  }
  const inTurn = createInTurn()
  return {
    get: async (runIds) =>
      new Map(
        runIds.flatMap((runId) => {
          const sequence = runs.get(runId)
          return sequence === undefined ? [] : [[runId, sequence] as const]
        }),
      ),
    set: (told) =>
      inTurn('', async () => {
        const fresh = told.map(({ runId: run, sequence }): Row => ({ run, sequence }))
        for (const row of fresh) take(row)
        if (fresh.length > 0) await append(fresh)
      }),
    keep: (runIds) =>
      inTurn('', async () => {
        const kept = new Set(runIds)
        const before = runs.size
        for (const runId of [...runs.keys()]) if (!kept.has(runId)) runs.delete(runId)
        if (runs.size < before) await compact()
      }),
    begun: (now) =>
      inTurn('', async () => {
        if (begun === undefined) {
          begun = now
          await append([{ begun }])
        }
        return begun
      }),
  }
}

const lineOf = (row: Row): string => `${JSON.stringify(row)}\n`

const parseRow = (line: string): Row => {
  try {
    return (JSON.parse(line) ?? {}) as Row
  } catch {
    return {}
  }
}
