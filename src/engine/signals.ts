/** The signals by which a person, an init system or a closing terminal stops the engine. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface SignalOptions {
  /** Called with the first signal. */
  readonly onFirst: (signal: NodeJS.Signals) => void
  /** Called with each further one: the person does not want to wait. */
  readonly onFurther: (signal: NodeJS.Signals) => void
}

/** Listens for signals until the function that it returns is called. */
export function listenForSignals({ onFirst, onFurther }: SignalOptions): () => void {
  let count = 0
  const listener = (signal: NodeJS.Signals): void => {
    count += 1
    if (count === 1) onFirst(signal)
    else onFurther(signal)
  }
  for (const signal of SIGNALS) process.on(signal, listener)
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener)
  }
}
