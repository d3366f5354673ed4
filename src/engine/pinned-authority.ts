import { join } from 'node:path'
import { SopError } from '../core/errors.ts'
import { readJsonFile, writeFileAtomic } from './atomic-file.ts'

/** The installation that a worker serves, as it was at their first contact. */
interface Pinned {
  readonly authority: string
  readonly url: string
}

/**
 * Trusts the key of the first contact, and no other one after it: what the worker runs is what that installation signed.
 * @throws SopError `conflict` when the engine has another key than at the first contact
 */
export const pinAuthority = async (workerDir: string, { authority, url }: Pinned): Promise<void> => {
  const path = join(workerDir, 'installation.json')
  const known = (await readJsonFile(path)) as Partial<Pinned> | undefined
  if (known?.authority === authority) return
  if (typeof known?.authority !== 'string')
    return writeFileAtomic(path, `${JSON.stringify({ authority, url }, null, 2)}\n`)
  throw new SopError(
    'conflict',
    `Cannot serve the engine at ${url}: its installation has another key than the one that this worker trusts since its first ` +
      `contact. If the installation was really replaced, delete "${path}" and start the worker again`,
    { url, path },
  )
}
