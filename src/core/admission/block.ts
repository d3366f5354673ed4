import type { AdmissionRequest, AdmissionState, Holder } from '../admission.ts'

// block.ts: why a run cannot be let in now.

/** One thing that a waiting run waits for. `by`: the runs that have it. */
export type Block =
  | { readonly kind: 'slot' | 'total'; readonly reason: string; readonly by: readonly string[] }
  | { readonly kind: 'lock'; readonly reason: string; readonly by: readonly string[]; readonly lock: string }
  | { readonly kind: 'cooldown' | 'blackout'; readonly reason: string; readonly until: string }
  /** A run that goes before it has to get the same lock first. */
  | { readonly kind: 'order'; readonly reason: string; readonly by: readonly string[]; readonly lock: string }

/** When the cooldown is over for this request; `undefined` where nothing cools down. Equal is enough (rulings 24). */
export const coolUntil = (state: AdmissionState, { sop, cooldownMs, force }: AdmissionRequest): string | undefined => {
  const last = state.lastTriggeredAt[sop]
  if (force === true || cooldownMs === 0 || last === undefined) return undefined
  return new Date(Date.parse(last) + cooldownMs).toISOString()
}

/** Until when the cooldown holds up a request whose trigger came before it was over. */
export const coolingUntil = (state: AdmissionState, request: AdmissionRequest): string | undefined => {
  const until = coolUntil(state, request)
  return until !== undefined && Date.parse(request.triggeredAt) < Date.parse(until) ? until : undefined
}

const hasSlot = ({ slot }: Holder): boolean => slot !== false

/** The limit that is reached, if one is. A run that is a step of another does not count among all runs. */
export const fullBlock = (
  state: AdmissionState,
  { sop, maxConcurrent, maxTotal }: AdmissionRequest,
): Extract<Block, { kind: 'slot' | 'total' }> | undefined => {
  const own = state.holders.filter((holder) => holder.sop === sop && hasSlot(holder))
  if (maxConcurrent !== undefined && own.length >= maxConcurrent) {
    const reason = `SOP "${sop}" runs ${own.length} of at most ${maxConcurrent} at once`
    return { kind: 'slot', reason, by: own.map(({ runId }) => runId) }
  }
  if (maxTotal === undefined) return undefined
  const all = state.holders.filter((holder) => hasSlot(holder) && holder.parent === undefined)
  if (all.length < maxTotal) return undefined
  return {
    kind: 'total',
    reason: `${all.length} of at most ${maxTotal} runs are under way`,
    by: all.map(({ runId }) => runId),
  }
}

/** The runs that a run is a step of, as far as they were let in: it works on their behalf. */
export const ancestorsOf = (state: AdmissionState, { parent }: AdmissionRequest): readonly Holder[] => {
  const found: Holder[] = []
  for (let above = parent; above !== undefined; ) {
    const holder = state.holders.find(({ runId }) => runId === above)
    if (holder === undefined || found.includes(holder)) break
    found.push(holder)
    above = holder.parent
  }
  return found
}

/** The locks that others hold. Those of the runs that it is a step of are no others. */
export const lockBlocks = (
  state: AdmissionState,
  request: AdmissionRequest,
): readonly Extract<Block, { kind: 'lock' }>[] => {
  const { runId, locks = [] } = request
  if (locks.length === 0) return []
  const own = [runId, ...ancestorsOf(state, request).map((each) => each.runId)]
  return locks.flatMap((lock) => {
    const holder = state.holders.find((each) => each.locks?.includes(lock) === true && !own.includes(each.runId))
    if (holder === undefined) return []
    return [{ kind: 'lock', lock, reason: `run "${holder.runId}" holds lock "${lock}"`, by: [holder.runId] }]
  })
}

const isLater = (until: string | undefined, at: string): until is string =>
  until !== undefined && Date.parse(until) > Date.parse(at)

/** The instants that have to pass first. */
export const timeBlocks = (
  state: AdmissionState,
  request: AdmissionRequest,
  at: string,
): readonly Extract<Block, { kind: 'cooldown' | 'blackout' }>[] => {
  // At the slot a cooldown waits instead of refusing: the run was let in already (engine.md 1).
  const cooling = coolingUntil(state, request)
  const { sop, notBefore, because = 'a blackout' } = request
  return [
    ...(isLater(cooling, at)
      ? [{ kind: 'cooldown' as const, until: cooling, reason: `SOP "${sop}" cools down until ${cooling}` }]
      : []),
    ...(isLater(notBefore, at)
      ? [{ kind: 'blackout' as const, until: notBefore, reason: `${because} lasts until ${notBefore}` }]
      : []),
  ]
}

/** Everything that keeps the request from being granted at the instant, apart from those that go before it. */
export const blocksOf = (
  state: AdmissionState,
  request: AdmissionRequest,
  at: string,
  fullOf: typeof fullBlock = fullBlock,
): readonly Block[] => {
  const full = fullOf(state, request)
  return [...timeBlocks(state, request, at), ...(full === undefined ? [] : [full]), ...lockBlocks(state, request)]
}
