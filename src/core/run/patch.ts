import type { GateRun, Run, StepRun } from './run.ts'

// patch.ts: small changes of a run, for the evolve files. A key that is set to undefined goes.

/** Drops keys whose value is undefined, so that a run is the same before and after JSON. */
export const compact = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T

export type Patch<T> = { readonly [K in keyof T]?: T[K] | undefined }

export const patch = <T extends object>(value: T, changes: Patch<T>): T => compact<T>({ ...value, ...changes })

export const patchStep = (run: Run, number: number | undefined, changes: Patch<StepRun>): Run => ({
  ...run,
  steps: run.steps.map((step) => (step.number === number ? patch(step, changes) : step)),
})

export const patchGate = (run: Run, id: string, changes: Patch<GateRun>): Run => {
  const gate = run.gates[id]
  return gate === undefined ? run : { ...run, gates: { ...run.gates, [id]: patch(gate, changes) } }
}

export const without = <V>(record: Readonly<Record<string, V>>, drop: (key: string) => boolean): Record<string, V> =>
  Object.fromEntries(Object.entries(record).filter(([key]) => !drop(key)))
