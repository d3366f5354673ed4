import type { Verb } from '../command.ts'

export const version: Verb = async (context) => {
  const value = { name: 'sop-engine', version: await context.ports.version() }
  context.show(value, (clean) => `${clean.name} ${clean.version}`)
  return undefined
}
