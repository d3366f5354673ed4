import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeFileName, encodeFolderName } from '../../src/core/file-name.ts'

/**
 * Makes the record of one run a thing that cannot be written: a folder in place of its file. (A mode would not do: tests
 * may run as root, whom no mode stops.)
 * @returns how to put it right
 */
export const breakRecord = async (dataDir: string, sop: string, runId: string): Promise<() => Promise<void>> => {
  const path = join(dataDir, 'audit', encodeFolderName(sop), `${encodeFileName(runId)}.jsonl`)
  await rename(path, `${path}.aside`)
  await mkdir(path)
  return async () => {
    await rm(path, { recursive: true })
    await rename(`${path}.aside`, path)
  }
}
