import type { Verb } from '../command.ts'

export interface SingleFileOptions {
  readonly description?: string
  readonly mode?: 'auto' | 'supervised' | 'step_by_step' | 'priority_based'
  readonly priority?: string
}

/** Writes seed 004's single file into the SOP directory of this machine. No engine is asked: its scripts need none. */
export const createSingleFile: Verb<SingleFileOptions> = async (
  context,
  [name = ''],
  { description, mode, priority },
) => {
  const files = await context.ports.files()
  const created = await files.create({
    name,
    dialect: 'D',
    ...(description === undefined ? {} : { description }),
    ...(mode === undefined ? {} : { mode }),
    ...(priority === undefined ? {} : { priority }),
  })
  context.show(created, (clean) => `Created ${clean.files.join(', ')}`)
  context.hint(`Edit it, then: sop-execute ${created.name}`)
  return undefined
}
