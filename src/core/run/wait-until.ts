import type { Step } from '../definition.ts'
import type { Asked } from './ask.ts'
import type { Run, StepRun } from './run.ts'
import { plus, question } from './stage.ts'

// wait-until.ts: when a `wait` step ends.

/** No instant: the step is none that waits. */
type Until =
  | { readonly kind: 'at'; readonly at?: string }
  | { readonly kind: 'error'; readonly text: string; readonly error: string }
  | Extract<Asked, { kind: 'wait' }>

/**
 * When a `wait` step that begins at `at` ends. A time of day depends on the zone's calendar, so an activity answers it
 * (engine.md 2). Where the engine tries again, since the check of the step failed, that time has come already.
 */
export const waitsUntil = (run: Run, step: Step, { failures }: Pick<StepRun, 'failures'>, at: string): Until => {
  const { action } = step
  if (action.kind !== 'wait') return { kind: 'at' }
  if (action.durationMs !== undefined) return { kind: 'at', at: plus(at, action.durationMs) }
  if (failures > 0) return { kind: 'at', at }
  const until = action.until ?? ''
  if (!/^\d{1,2}:\d{2}$/.test(until)) return { kind: 'at', at: new Date(Date.parse(until)).toISOString() }
  const name = `until:${until}`
  const key = question(run, step.number, 'until')
  const known = run.facts[key]
  if (known === undefined)
    return { kind: 'wait', work: { id: `facts:${key}`, kind: 'facts', question: key, names: [name] } }
  const answer = known.values[name]
  return typeof answer === 'string'
    ? { kind: 'at', at: answer }
    : { kind: 'error', text: until, error: known.errors?.[name] ?? 'nobody knows that time' }
}
