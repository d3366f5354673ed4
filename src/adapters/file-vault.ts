import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Vault } from '../activities/deps.ts'
import { encodeFileName } from '../core/file-name.ts'

/** Values of secret params as files that only the engine's user can read: `vault/<run-id>/<name>`, until the run closes. */
export const createFileVault = ({ dataDir }: { readonly dataDir: string }): Vault => {
  const folderOf = (runId: string): string => join(dataDir, 'vault', encodeFileName(runId))
  return {
    put: async (runId, name, value) => {
      const folder = folderOf(runId)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const path = join(folder, encodeFileName(name))
      const handle = await open(`${path}.tmp`, 'w', 0o600)
      try {
        await handle.writeFile(value)
        await handle.datasync()
      } finally {
        await handle.close()
      }
      await rename(`${path}.tmp`, path)
    },
    get: async (runId, name) => {
      try {
        return await readFile(join(folderOf(runId), encodeFileName(name)), 'utf8')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    drop: (runId) => rm(folderOf(runId), { recursive: true, force: true }),
  }
}
