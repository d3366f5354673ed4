import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json } from '../core/definition.ts'
import type { SourceMemory } from '../core/trigger/source-memory.ts'

// file-state.ts: what sources of triggers have to remember over restarts, by name.

/** Keeps it in `<dataDir>/triggers/<name>.json`; a crash leaves the old value or the new one. */
export const createFileState = ({ dataDir }: { readonly dataDir: string }): SourceMemory => {
  const folder = join(dataDir, 'triggers')
  /** Values are written in the order in which they were given. */
  let turn: Promise<void> = Promise.resolve()
  const write = async (name: string, value: Json): Promise<void> => {
    const path = join(folder, `${name}.json`)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const file = await open(`${path}.tmp`, 'w', 0o600)
    try {
      await file.writeFile(JSON.stringify(value))
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(`${path}.tmp`, path)
  }
  return {
    get: async (name) => {
      try {
        return JSON.parse(await readFile(join(folder, `${name}.json`), 'utf8')) as Json
      } catch {
        return undefined
      }
    },
    put: (name, value) => {
      const written = turn.then(() => write(name, value))
      turn = written.catch(() => {})
      return written
    },
  }
}
