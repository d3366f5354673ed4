import type { Json } from '../core/definition.ts'
import { environmentOf, isReservedName, variableOf } from '../core/param-names.ts'
import type { CommandTask } from '../core/run/task.ts'

// environment.ts: the environment of a step, built from nothing: what is not named here is not there (rulings 20).

/** What the engine's own environment gives to every step; of the locale all `LC_*` besides. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LANG', 'TZ', 'TMPDIR']
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

export interface StepPlaces {
  /** Scratch folder of the run. */
  readonly runDir: string
  /** File that takes the step's outputs. */
  readonly outputFile: string
}

type Environment = Readonly<Record<string, string | undefined>>

/** The part of a step's environment that comes from the host. */
export const hostEnvironment = (host: Environment, passthrough: readonly string[]): Record<string, string> => {
  const names = [...INHERITED, ...passthrough, ...Object.keys(host).filter((name) => name.startsWith('LC_'))]
  const env: Record<string, string> = { PATH: DEFAULT_PATH }
  for (const name of names) {
    const value = host[name]
    if (value !== undefined) env[name] = value
  }
  return env
}

/**
 * The values that belong to the step: outputs of earlier steps, params over them, what the procedure's author set over
 * both, secrets over everything that a caller can name, and the engine's own names last.
 */
export const stepValues = (
  task: CommandTask,
  secrets: Readonly<Record<string, string>>,
  params: Readonly<Record<string, Json>>,
): Record<string, string> => ({
  ...outputValues(task.outputs),
  ...environmentOf(params),
  ...(task.executable.kind === 'shell' ? task.executable.env : undefined),
  ...secrets,
  ...triggerValues(task.trigger),
  SOP_RUN_ID: task.runId,
  SOP_STEP: String(task.stepNumber),
  SOP_ATTEMPT: String(task.attempt),
  ...itemValues(task),
})

/** `$item` is what the author of a `for_each` wrote it for, so no param or output of that name stands before it. */
const itemValues = ({ item }: CommandTask): Record<string, string> =>
  item === undefined
    ? {}
    : { item: asText(item.value), SOP_ITEM: asText(item.value), SOP_ITEM_NUMBER: String(item.number) }

/** The whole environment of a shell step. */
export const stepEnvironment = (
  host: Readonly<Record<string, string>>,
  values: Readonly<Record<string, string>>,
  { runDir, outputFile }: StepPlaces,
): Record<string, string> => ({ ...host, ...values, SOP_RUN_DIR: runDir, SOP_OUTPUT: outputFile })

/** A value as text: objects and lists as JSON, `null` as the empty text. */
export const asText = (value: Json): string =>
  typeof value === 'string'
    ? value
    : value === null
      ? ''
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value)

/** Whether no step may set an output of that name. */
export const isReservedOutput = (name: string): boolean => isReservedName(variableOf(name) ?? name)

const outputValues = (outputs: Readonly<Record<string, Json>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(outputs).flatMap(([name, value]) => {
      const variable = variableOf(name)
      return variable === undefined || isReservedName(variable) ? [] : [[variable, asText(value)]]
    }),
  )

const triggerValues = (trigger: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(trigger).map(([name, value]) => [`SOP_TRIGGER_${name.toUpperCase().replace(/\W/g, '_')}`, value]),
  )

/** Why the system would refuse the environment, as a sentence; the variable is named, since its value is the cause. */
export const environmentProblem = (env: Readonly<Record<string, string>>): string | undefined => {
  for (const [name, value] of Object.entries(env)) {
    if (value.includes('\0')) return `Cannot set variable "${name}": its value contains a NUL character`
    if (Buffer.byteLength(value) > MAX_VALUE_BYTES) {
      return `Cannot set variable "${name}": its value has ${Buffer.byteLength(value)} bytes, the system takes ${MAX_VALUE_BYTES}. Hand it on as a file in $SOP_RUN_DIR`
    }
  }
  return undefined
}

/** Linux takes 128 KiB for one variable, its name included. */
const MAX_VALUE_BYTES = 120 * 1024
