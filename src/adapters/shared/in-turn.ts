/** Calls about one key follow each other in the order in which they came; those about others do not wait for them. */
export interface InTurn {
  <T>(key: string, work: () => Promise<T>): Promise<T>
}

/** `waiting` holds what is under way, for whoever has to wait for all of it. */
export const createInTurn = (waiting = new Map<string, Promise<unknown>>()): InTurn => {
  return (key, work) => {
    const turn = (waiting.get(key) ?? Promise.resolve()).then(work)
    const settled = turn
      .catch(() => {})
      .then(() => {
        if (waiting.get(key) === settled) waiting.delete(key)
      })
    waiting.set(key, settled)
    return turn
  }
}
