import { statfs } from 'node:fs/promises'
import { formatSize } from '../core/size.ts'
import type { MoreChecks } from './parts.ts'

export interface DiskCheckOptions {
  readonly dataDir: string
  /** Absent: it is never told. */
  readonly lowBytes?: number | undefined
}

/** The space that is left where the data directory lies. */
export const createDiskCheck =
  ({ dataDir, lowBytes = 0 }: DiskCheckOptions): MoreChecks =>
  async () => {
    const found = await statfs(dataDir).catch(() => undefined)
    // Some file systems do not say how large they are.
    if (found === undefined || found.blocks === 0) return {}
    const freeBytes = found.bavail * found.bsize
    const figures = { freeBytes, totalBytes: found.blocks * found.bsize }
    if (freeBytes >= lowBytes) return { disk: { ok: true, figures } }
    return {
      disk: {
        ok: false,
        detail: `the disk of the data directory has ${formatSize(freeBytes)} left, less than ${formatSize(lowBytes)} (disk_low)`,
        help: 'Make room, or let logs and records go sooner (log_retention_days, audit_retention_days). Once it is full runs wait until there is room',
        figures,
      },
    }
  }
