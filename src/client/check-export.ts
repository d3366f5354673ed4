import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { SopError } from '../core/errors.ts'
import { splitLines } from '../core/split-lines.ts'
import { createExportCheck, type ExportCheck, type Hasher } from '../core/verify/export.ts'
import { createSealCheck } from './signing.ts'
import { sha256Hex } from './verify.ts'

// check-export.ts: checks a file that `sop export` wrote, on any machine.

const hasher = (): Hasher => {
  const hash = createHash('sha256')
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest('hex') }
}

/**
 * Checks the file, line by line.
 *
 * @param keys public keys, base64, that are known to be the installation's. None: the file's own is taken, and said so
 * @param shown the path as findings name it
 * @throws SopError `not_found` where there is no such file, `invalid` where it cannot be read, or is something else
 */
export const checkExport = async (path: string, keys: readonly string[] = [], shown = path): Promise<ExportCheck> => {
  const check = createExportCheck({ file: shown, sha256Hex, hasher, verify: createSealCheck(), keys })
  try {
    for await (const { text, isWhole } of splitLines(createReadStream(path))) check.take(text, isWhole)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new SopError(code === 'ENOENT' ? 'not_found' : 'invalid', `Cannot read "${shown}": ${message}`, {}, error)
  }
  if (check.isForeign())
    throw new SopError('invalid', `Cannot check "${shown}": it is no export of a run. sop export RUN makes one`)
  return check.end()
}
