/** Counts what is under way, for each address and for all of them: what is not let in takes no memory and no time. */
export interface FlowLimit {
  /** Lets one in and gives its way out, to be called once; undefined when too many are in. */
  enter(key: string): (() => void) | undefined
}

/** What one address may have under way at once at the doors of triggers; the next one is answered 429. */
const FLOW_PER_ADDRESS = 100
/** The same for all addresses together. */
const FLOW_IN_ALL = 400

export function createFlowLimit(perKey = FLOW_PER_ADDRESS, inAll = FLOW_IN_ALL): FlowLimit {
  const inside = new Map<string, number>()
  let all = 0
  return {
    enter(key) {
      const own = inside.get(key) ?? 0
      if (own >= perKey || all >= inAll) return undefined
      inside.set(key, own + 1)
      all++
      return () => {
        all--
        const left = (inside.get(key) ?? 1) - 1
        if (left === 0) inside.delete(key)
        else inside.set(key, left)
      }
    },
  }
}
