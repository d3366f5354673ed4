import type { Command, SopDefinition, SopGate, Step } from './definition.ts'
import type { Executable, ExecutableId } from './run/task.ts'

type ShellExecutable = Extract<Executable, { kind: 'shell' }>

/** What a step's commands run with; what the SOP gives to every step stands behind what the step says itself. */
const setting = (definition: SopDefinition, step: Partial<Step>): Omit<ShellExecutable, 'kind' | 'commands'> => {
  const env = { ...definition.env, ...step.env }
  const secrets = secretsOf(definition, step)
  return {
    ...(step.cwd === undefined ? {} : { cwd: step.cwd }),
    ...(step.shell === undefined ? {} : { shell: step.shell }),
    ...(Object.keys(env).length === 0 ? {} : { env }),
    ...(secrets.length === 0 ? {} : { secrets }),
    ...placeOf(step),
  }
}

/** Signed with the rest, so that a step runs only where its SOP says. */
const placeOf = ({ runsOn }: Partial<Step>): Pick<Executable, 'runsOn'> => (runsOn === undefined ? {} : { runsOn })

const secretsOf = (definition: SopDefinition, step: Partial<Step>): readonly string[] => [
  ...new Set([...(definition.secrets ?? []), ...(step.secrets ?? [])]),
]

const shell = (definition: SopDefinition, step: Partial<Step>, commands: readonly Command[]): Executable => ({
  kind: 'shell',
  commands,
  ...setting(definition, step),
})

const ofStep = (definition: SopDefinition, step: Step): [ExecutableId, Executable][] => {
  const secrets = secretsOf(definition, step)
  const { action, verify = [], rollback = [], number } = step
  const found: [ExecutableId, Executable][] = []
  if (action.kind === 'shell') found.push([`step:${number}`, shell(definition, step, action.commands)])
  if (action.kind === 'http')
    found.push([`step:${number}`, { ...action, ...(secrets.length === 0 ? {} : { secrets }), ...placeOf(step) }])
  if (verify.length > 0) found.push([`verify:${number}`, shell(definition, step, verify)])
  if (rollback.length > 0) found.push([`rollback:${number}`, shell(definition, step, rollback)])
  return found
}

const ofGate = (definition: SopDefinition, { key, command }: SopGate): [ExecutableId, Executable][] =>
  command === undefined ? [] : [[`gate:${key}`, shell(definition, {}, [command])]]

/**
 * Everything in a definition that a worker may be asked to run, as the worker gets it: the env and secrets of the SOP are
 * merged in, a step's own win. Pure, so that the workflow's request and the installation's signature mean the same.
 */
export const executablesOf = (definition: SopDefinition): Readonly<Record<ExecutableId, Executable>> =>
  Object.fromEntries([
    ...definition.steps.flatMap((step) => ofStep(definition, step)),
    ...(definition.gates ?? []).flatMap((gate) => ofGate(definition, gate)),
  ])
