import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { RawRecords } from '../activities/deps.ts'
import { decodeFileName, encodeFileName } from '../core/file-name.ts'
import type { StoredLine, StoredRecord } from '../core/verify/stored-record.ts'
import { linesOf } from './shared/file-lines.ts'
import { orUndefined } from './shared/missing-file.ts'

// file-records.ts: the files of file-audit.ts as they lie there.

const SUFFIX = '.jsonl'

/** Reads the records of a data directory; any process may. */
export const createFileRecords = ({ dataDir }: { readonly dataDir: string }): RawRecords => {
  const root = join(dataDir, 'audit')
  const folders = (): Promise<readonly string[]> => readdir(root).catch(() => [])
  return {
    ids: async function* () {
      const seen = new Set<string>()
      for (const folder of await folders()) {
        const names = await readdir(join(root, folder)).catch(() => [])
        const ids: string[] = []
        for (const name of names) {
          const runId = name.endsWith(SUFFIX)
            ? await runIdOf(join(root, folder, name), name.slice(0, -SUFFIX.length))
            : undefined
          if (runId === undefined || seen.has(runId)) continue
          seen.add(runId)
          ids.push(runId)
        }
        yield ids
      }
    },
    read: async (runId) => {
      const name = `${encodeFileName(runId)}${SUFFIX}`
      const found: string[] = []
      for (const folder of [...(await folders())].sort())
        if (await isFile(join(root, folder, name))) found.push(`audit/${folder}/${name}`)
      const [file, ...others] = found
      if (file === undefined) return undefined
      return { ...(await readRecord(dataDir, file)), ...(others.length > 0 && { others }) }
    },
    definition: async (digest) => {
      const file = `definitions/${encodeFileName(digest)}.json`
      const text = await readFile(join(dataDir, file), 'utf8').catch(orUndefined)
      if (text === undefined) return undefined
      const pinned = parsed(text)
      return { file, ...(pinned !== undefined && { pinned }) }
    },
  }
}

/** By the name of the file; of one that was too long for a name by its first event. */
const runIdOf = async (path: string, stem: string): Promise<string | undefined> => {
  // A dot is never part of a name: `.forks.jsonl` is no record.
  if (stem.includes('.')) return undefined
  const decoded = decodeFileName(stem)
  if (decoded !== undefined) return decoded
  for await (const { text } of linesOf(path)) {
    const event = parsed(text) as { readonly runId?: unknown } | null | undefined
    return typeof event?.runId === 'string' && encodeFileName(event.runId) === stem ? event.runId : undefined
  }
  return undefined
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  )

const readRecord = async (dataDir: string, file: string): Promise<StoredRecord> => {
  const lines: StoredLine[] = []
  let from = 0
  let unfinishedBytes = 0
  for await (const { number, text, isWhole, isLast, endsAt } of linesOf(join(dataDir, file))) {
    const event = isWhole ? parsed(text) : undefined
    // What the next append will cut off (core/record-lines.ts).
    if (event === undefined && isLast) unfinishedBytes = endsAt - from
    else
      lines.push({
        line: number,
        ...(event !== undefined && { event }),
        ...(event !== undefined && JSON.stringify(event) !== text && { isRewritten: true as const }),
      })
    from = endsAt
  }
  return { file, lines, ...(unfinishedBytes > 0 && { unfinishedBytes }) }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
