/** How often a time is made four times as long. */
const LONGER = 2

/**
 * For what has to happen within a time that the product measures itself. `work` says by undefined that the machine was too
 * slow for so many milliseconds to show anything; then it gets four times as many. All that it asserts holds at once.
 */
export const withEnoughTime = async <T>(firstMs: number, work: (ms: number) => Promise<T | undefined>): Promise<T> => {
  for (let ms = firstMs; ms <= firstMs * 4 ** LONGER; ms *= 4) {
    const found = await work(ms)
    if (found !== undefined) return found
  }
  throw new Error(`Not seen in time, neither within ${firstMs} ms nor within ${firstMs * 4 ** LONGER} ms`)
}
