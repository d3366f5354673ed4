/**
 * Loads items ahead of whoever reads them, at most `concurrency` at a time, and gives them in order. A load that fails
 * ends the reading with its error.
 */
export async function* prefetch<T, R>(
  items: AsyncIterable<T>,
  concurrency: number,
  load: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const loading: Promise<R>[] = []
  const shift = (): Promise<R> => loading.shift() as Promise<R>
  try {
    for await (const item of items) {
      const one = load(item)
      // It is awaited in its turn; until then its failure must not end the process.
      one.catch(() => {})
      loading.push(one)
      if (loading.length >= concurrency) yield await shift()
    }
    while (loading.length > 0) yield await shift()
  } finally {
    await Promise.allSettled(loading)
  }
}
