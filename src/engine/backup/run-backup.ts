import { resolve } from 'node:path'
import { requireConfig } from '../../config.ts'
import { SopError } from '../../core/errors.ts'
import type { Environment } from '../find-temporal.ts'
import { packageVersion } from '../package-version.ts'
import { listenForSignals } from '../signals.ts'
import { backUp, type BackupReport } from './backup.ts'
import { restore, type RestoreReport } from './restore.ts'
import { readRestored, type Restored, writeRestored } from './restored.ts'

// run-backup.ts: `sop backup` and `sop restore`, on the machine that has the data directory.

interface Place {
  readonly env: Environment
  readonly cwd: string
}

/** Ctrl-C leaves nothing behind. */
export const runBackup = async ({ env, cwd, out }: Place & { readonly out: string }): Promise<BackupReport> => {
  const { config, environment } = requireConfig({ env, cwd })
  const interrupt = new AbortController()
  const unlisten = listenForSignals({
    onFirst: (signal) =>
      interrupt.abort(
        new SopError('unavailable', `Cannot back up: ${signal} came before it was done. Nothing is left of it`),
      ),
    onFurther: () => process.exit(130),
  })
  try {
    return await backUp({
      config,
      env: environment,
      out: resolve(cwd, out),
      version: packageVersion(),
      now: () => new Date(),
      signal: interrupt.signal,
    })
  } finally {
    unlisten()
  }
}

export const runRestore = ({
  cwd,
  file,
  to,
}: Place & { readonly file: string; readonly to: string }): Promise<RestoreReport> =>
  restore({ file: resolve(cwd, file), to: resolve(cwd, to), now: () => new Date() })

/** @throws SopError `not_found` where nothing was restored; what was confirmed before stays so */
export const confirmRestore = async ({
  env,
  cwd,
}: Place): Promise<Restored & { dataDir: string; confirmedAt: string }> => {
  const { config } = requireConfig({ env, cwd })
  const { dataDir } = config
  const restored = await readRestored(dataDir)
  if (restored === undefined)
    throw new SopError(
      'not_found',
      `Cannot confirm a restore of "${dataDir}": it was not restored. Set SOP_DATA_DIR to the one that was`,
    )
  const confirmedAt = restored.confirmedAt ?? new Date().toISOString()
  const confirmed = { ...restored, confirmedAt }
  await writeRestored(dataDir, confirmed)
  return { ...confirmed, dataDir }
}
