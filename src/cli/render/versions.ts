import type { SopVersion } from '../../client/client.ts'
import type { RunLook } from './run-view.ts'
import { renderTable } from './table.ts'
import { renderInstant } from './time.ts'

/** The definitions of an SOP as a table, the newest first. */
export const renderVersions = (versions: readonly SopVersion[], { colours, now, long }: RunLook): string =>
  renderTable(
    ['DIGEST', 'VERSION', 'RUNS', 'FIRST', 'LAST', ''].map((heading) => colours.dim(heading)),
    versions.map(({ digest, version, runs, firstAt, lastAt, current }) => [
      digest.slice(0, 12),
      version,
      String(runs),
      firstAt === undefined ? '-' : renderInstant(firstAt, now, long),
      lastAt === undefined ? '-' : renderInstant(lastAt, now, long),
      current === true ? 'now' : '',
    ]),
  )
