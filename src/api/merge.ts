/**
 * What several sources yield, in the order in which it comes. Each is asked for its next piece only when the last one was
 * taken, so a slow reader costs one piece of each. Ends when all have ended; what one throws ends it all.
 */
export async function* merge<T>(sources: readonly AsyncIterable<T>[]): AsyncGenerator<T> {
  const ready: { readonly value: T; readonly taken: () => void }[] = []
  let open = sources.length
  let isOver = false
  let failure: { readonly error: unknown } | undefined
  let wake = (): void => {}
  const pump = async (source: AsyncIterable<T>): Promise<void> => {
    for await (const value of source) {
      if (isOver) return
      await new Promise<void>((taken) => {
        ready.push({ value, taken })
        wake()
      })
    }
  }
  for (const source of sources) {
    void pump(source)
      .catch((error: unknown) => {
        failure ??= { error }
      })
      .finally(() => {
        open -= 1
        wake()
      })
  }
  try {
    for (;;) {
      const next = ready.shift()
      if (next !== undefined) {
        yield next.value
        next.taken()
      } else if (failure !== undefined) throw failure.error
      else if (open === 0) return
      else
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  } finally {
    isOver = true
    for (const { taken } of ready) taken()
  }
}
