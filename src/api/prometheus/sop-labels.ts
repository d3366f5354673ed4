/** What stands for SOPs that have no series of their own. */
const OTHER_SOPS = 'other'

/**
 * Gives SOPs their label. A process names so many SOPs at most, those with the most runs when it is first asked, and those
 * that come later while there is room; one that has a name keeps it, so that no series jumps.
 */
export const createSopLabels = (limit: number): ((runs: ReadonlyMap<string, number>) => (sop: string) => string) => {
  const named = new Set<string>()
  return (runs) => {
    const fresh = [...runs].filter(([sop]) => !named.has(sop)).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    for (const [sop] of fresh) {
      if (named.size >= limit) break
      named.add(sop)
    }
    return (sop) => (named.has(sop) ? sop : OTHER_SOPS)
  }
}
