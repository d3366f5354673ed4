import { isLasting } from './failures.ts'

const RETRY_MS = 500

/** Tries again while the database is down, for that long; milliseconds. What trying cannot mend is thrown at once. */
export const patiently = async <T>(work: () => Promise<T>, forMs: number): Promise<T> => {
  for (const giveUpAt = Date.now() + forMs; ; ) {
    try {
      return await work()
    } catch (error) {
      if (isLasting(error) || Date.now() + RETRY_MS > giveUpAt) throw error
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}
