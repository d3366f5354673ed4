/** The signals by which a person, an init system or a closing terminal stops the engine. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export interface SignalOptions {
  /** Called with the first signal. */
  readonly onFirst: (signal: NodeJS.Signals) => void
  /** Called with each further one: the person does not want to wait. */
  readonly onFurther: (signal: NodeJS.Signals) => void
}

/** npm passes a Ctrl-C on that the terminal has sent to everyone already: within this time, two signals are one. */
const SAME_SIGNAL_MS = 500

/** Listens for signals until the function that it returns is called. */
export function listenForSignals({ onFirst, onFurther }: SignalOptions): () => void {
  let firstAt: number | undefined
  const listener = (signal: NodeJS.Signals): void => {
    if (firstAt === undefined) {
      firstAt = performance.now()
      onFirst(signal)
    } else if (performance.now() - firstAt > SAME_SIGNAL_MS) onFurther(signal)
  }
  for (const signal of SIGNALS) process.on(signal, listener)
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener)
  }
}
