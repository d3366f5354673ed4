import type { Planted } from '../../support/planted-build.ts'

/** One fault of each kind that the comparison of a replay has to find. Each shows in other histories than the others. */
export const FAULTS: readonly Planted[] = [
  {
    file: 'workflows/interpreter.ts',
    from: 'for (const effect of effects) {',
    to: 'for (const effect of [...effects].reverse()) {',
  },
  { file: 'workflows/timers.ts', from: 'Date.parse(at) - Date.now())', to: 'Date.parse(at) - Date.now() + 1000)' },
  { file: 'core/run/command-task.ts', from: "(step?.title ?? '')", to: "(step?.title ?? '').toUpperCase()" },
]
