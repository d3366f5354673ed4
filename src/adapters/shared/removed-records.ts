import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { RecordRemoval } from '../../activities/deps.ts'
import { encodeFileName, encodeFolderName } from '../../core/file-name.ts'
import { parseRecord } from '../../core/record-lines.ts'

// removed-records.ts: how records go from a data directory. First the line that says so, `audit/.removed/<run-id>.json`, and
// then the files, the events last: after a crash in between the next sweep finds the record still there, and finishes.

/** No SOP makes a folder of this name: names begin with a letter or a digit. */
const REMOVED = '.removed'
/** Of a record: what is made of it goes before it. */
const ENDINGS = ['.json', '.log', '.forks.jsonl', '.jsonl'] as const

const linePath = (root: string, runId: string): string => join(root, REMOVED, `${encodeFileName(runId)}.json`)

/** Removes the files of a record; false where it has another number of events than the removal says. */
export const removeRecord = async (root: string, removal: RecordRemoval): Promise<boolean> => {
  const { runId, sop, events } = removal
  const folder = await folderOf(root, sop, runId)
  if (folder !== undefined) {
    const bytes = await readFile(join(folder, `${encodeFileName(runId)}.jsonl`))
    if (parseRecord(bytes).events.length !== events) return false
  }
  if ((await readRemoval(root, runId)) === undefined) await writeLine(linePath(root, runId), removal)
  if (folder === undefined) return true
  for (const ending of ENDINGS) await rm(join(folder, `${encodeFileName(runId)}${ending}`), { force: true })
  return true
}

/** What is left to say of a record that was removed. */
export const readRemoval = async (root: string, runId: string): Promise<RecordRemoval | undefined> => {
  const text = await readFile(linePath(root, runId), 'utf8').catch(orUndefined)
  return text === undefined ? undefined : (JSON.parse(text) as RecordRemoval)
}

/** Removes definitions, and their sources, that are not used and were asked to be kept before that. */
export const removeDefinitions = async (
  folder: string,
  isUsed: (digest: string) => boolean,
  before: Date,
): Promise<number> => {
  let removed = 0
  for (const name of (await readdir(folder).catch(orUndefined)) ?? []) {
    const digest = /^([0-9a-f]{64})\.json$/.exec(name)?.[1]
    if (digest === undefined || isUsed(digest)) continue
    const found = await stat(join(folder, name)).catch(orUndefined)
    if (found === undefined || found.mtimeMs >= before.getTime()) continue
    for (const path of [join(folder, name), join(folder, 'sources', name)]) await rm(path, { force: true })
    removed += 1
  }
  return removed
}

/** Where the record is; as a rule in the folder of its SOP. */
const folderOf = async (root: string, sop: string, runId: string): Promise<string | undefined> => {
  const usual = encodeFolderName(sop)
  const others = ((await readdir(root).catch(orUndefined)) ?? []).filter((name) => name !== usual && name !== REMOVED)
  for (const name of [usual, ...others]) {
    const found = await stat(join(root, name, `${encodeFileName(runId)}.jsonl`)).catch(orUndefined)
    if (found !== undefined) return join(root, name)
  }
  return undefined
}

const writeLine = async (path: string, removal: RecordRemoval): Promise<void> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const handle = await open(`${path}.tmp`, 'w', 0o600)
  try {
    await handle.writeFile(JSON.stringify(removal))
    await handle.datasync()
  } finally {
    await handle.close()
  }
  await rename(`${path}.tmp`, path)
}

const orUndefined = (error: unknown): undefined => {
  const { code } = error as NodeJS.ErrnoException
  if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
}
