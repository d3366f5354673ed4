import type { Action, Command, Condition, SopDefinition, Step } from '../../src/core/definition.ts'
import { parseCondition } from '../../src/core/condition/parse.ts'

/** A step of a test, with what it does not say filled in. */
export type StepSketch = Partial<Omit<Step, 'if' | 'approveIf'>> & { readonly if?: string; readonly approveIf?: string }
export type SopSketch = Partial<Omit<SopDefinition, 'steps'>> & { readonly steps: readonly StepSketch[] }

export const bash = (script: string): Action => ({ kind: 'shell', commands: [{ interpreter: 'bash', script }] })
export const command = (script: string): Command => ({ interpreter: 'bash', script })

export const condition = (text: string): Condition => {
  const parsed = parseCondition(text)
  if (!parsed.ok) throw new Error(`Cannot parse condition "${text}": ${parsed.message}`)
  return parsed.condition
}

const slug = (title: string): string => title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')

const step = (sketch: StepSketch, index: number): Step => {
  const { if: guard, approveIf, ...rest } = sketch
  const title = sketch.title ?? `Step ${index + 1}`
  return {
    number: index + 1,
    slug: slug(title),
    title,
    action: bash('true'),
    ...rest,
    ...(guard !== undefined && { if: condition(guard) }),
    ...(approveIf !== undefined && { approveIf: condition(approveIf) }),
  }
}

/** A compiled SOP of a test: mode auto, unless it says otherwise. */
export const sopOf = ({ steps, ...rest }: SopSketch): SopDefinition => ({
  format: 1,
  name: 'test-sop',
  title: 'Test SOP',
  description: '',
  version: '1.0.0',
  priority: 'normal',
  mode: 'auto',
  cooldownMs: 0,
  admission: 'queue',
  triggers: [{ type: 'manual' }],
  dialect: 'A',
  ...rest,
  steps: steps.map(step),
})
