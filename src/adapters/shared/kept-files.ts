import { mkdir, open, readFile, rename, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeFileName } from '../../core/file-name.ts'
import { orEmpty } from './missing-file.ts'

// kept-files.ts: what the file audit keeps under a digest, once for all runs: definitions, and the sources that they were made of.

/** What is kept under a digest: a definition, or its source. */
const keptPath = (folder: string, digest: string): string => join(folder, `${encodeFileName(digest)}.json`)

/** Once in so long is enough to say that a definition is used. */
const TOUCH_MS = 12 * 3_600_000

/** Keeps the content durably, unless it is kept already. */
export const keepOnce = async (folder: string, digest: string, content: unknown): Promise<void> => {
  const path = keptPath(folder, digest)
  const found = await stat(path).catch(() => undefined)
  if (found !== undefined) {
    // Whoever asks again says that it is still used, and it is not removed as one that nobody needs.
    if (Date.now() - found.mtimeMs > TOUCH_MS) await utimes(path, new Date(), new Date())
    return
  }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  // Several runs may begin at once: each writes a file of its own, and the last rename wins with the same content.
  const draft = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}.tmp`
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(JSON.stringify(content))
    await handle.datasync()
  } finally {
    await handle.close()
  }
  await rename(draft, path)
}

/** What is kept under the digest; undefined where nothing is. */
export const readKept = async <T>(folder: string, digest: string): Promise<T | undefined> => {
  const bytes = await readFile(keptPath(folder, digest)).catch(orEmpty)
  return bytes.length === 0 ? undefined : (JSON.parse(bytes.toString('utf8')) as T)
}
