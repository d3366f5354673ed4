import type { RunSummary } from '../../core/run/view.ts'
import type { Verb } from '../command.ts'
import { renderSopList } from '../render/sop-list.ts'

export const list: Verb<{ readonly long?: boolean }> = async (context, _args, { long }) => {
  const client = await context.client()
  const [sops, runs] = await Promise.all([
    client.listSops(),
    long === true ? client.listRuns({ limit: 1_000 }) : undefined,
  ])
  const lastRuns = runs === undefined ? undefined : newestBySop(runs)
  const value = lastRuns === undefined ? sops : sops.map((sop) => withLastRun(sop, lastRuns.get(sop.name)))
  context.show(value, (clean) =>
    renderSopList(clean, {
      colours: context.colours,
      utf8: context.utf8,
      now: context.io.now(),
      defaultMode: 'supervised',
      ...(lastRuns === undefined ? {} : { lastRuns }),
    }),
  )
  return undefined
}

const newestBySop = (runs: readonly RunSummary[]): ReadonlyMap<string, RunSummary> => {
  const newest = new Map<string, RunSummary>()
  for (const run of runs) if (!newest.has(run.sopName)) newest.set(run.sopName, run)
  return newest
}

const withLastRun = <T extends object>(sop: T, lastRun: RunSummary | undefined): T =>
  lastRun === undefined ? sop : { ...sop, lastRun }
