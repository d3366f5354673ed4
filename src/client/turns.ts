/** Lets at most `limit` calls about one key be under way at once; the others wait in the order in which they came. */
export interface Turns {
  take<T>(key: string, call: () => Promise<T>): Promise<T>
}

interface Queue {
  active: number
  readonly waiting: (() => void)[]
}

/** A server takes a limited number of updates of one run at a time and refuses the rest, so they take turns here. */
export const createTurns = (limit: number): Turns => {
  const queues = new Map<string, Queue>()
  return {
    async take(key, call) {
      const queue = queues.get(key) ?? { active: 0, waiting: [] }
      queues.set(key, queue)
      if (queue.active >= limit) await new Promise<void>((resolve) => queue.waiting.push(resolve))
      else queue.active += 1
      try {
        return await call()
      } finally {
        const next = queue.waiting.shift()
        if (next) next()
        else queue.active -= 1
        if (queue.active === 0) queues.delete(key)
      }
    },
  }
}
