import type { Command, Step } from '../definition.ts'
import { findSteps } from './find-steps.ts'
import { escapeText, findGroups, splitAtCommas } from './inline.ts'
import { readMarkdown } from './markdown.ts'
import type { RawStep } from './raw-step.ts'
import type { FenceUse } from './step-fence.ts'
import { indentBy } from './raw-markdown.ts'
import {
  approvalTable,
  commandOf,
  durationOf,
  type Toml,
  tomlOf,
  type TomlValue,
  withoutUndefined,
} from './render-toml.ts'
import { createReport } from './report.ts'
import { createSourceText } from './source-text.ts'
import { looseValue } from './values.ts'

// render-step.ts: a step as a numbered item of SOP.md, with what Markdown cannot hold in `[[steps]]` of SOP.toml. What is
// rendered is read again; a step that Markdown would tell otherwise goes to the manifest as a whole.

export interface RenderedStep {
  readonly markdown?: string
  readonly manifest?: Toml
}

export const renderStep = (step: Step): RenderedStep => {
  const settings = settingsOf(step)
  const inline: string[] = []
  const rest: { [key: string]: TomlValue } = {}
  for (const [key, value] of Object.entries(withoutUndefined(settings))) {
    const text = inlineText(value as TomlValue)
    if (text === undefined) rest[key] = value as TomlValue
    else inline.push(`${key}: ${text}`)
  }
  const structured = withoutUndefined(structuredOf(step))
  const markdown = renderMarkdown(step, inline)
  if (!isReadBack(markdown, step, inline.length)) return { manifest: wholeTable(step, { ...settings, ...structured }) }
  const table = { ...rest, ...structured }
  return Object.keys(table).length === 0 ? { markdown } : { markdown, manifest: { number: step.number, ...table } }
}

/** Settings that fit into a bracket list, most of the time. */
const settingsOf = (step: Step): Toml => ({
  if: step.if?.text,
  requires_approval: step.requiresApproval,
  approve_if: step.approveIf?.text,
  ...approvalTable(step, 'approval_timeout'),
  needs: step.needs,
  mode: step.mode,
  timeout: durationOf(step.timeoutMs),
  retries: step.retries,
  retry_delay: durationOf(step.retryDelayMs),
  idempotent: step.idempotent,
  on_failure: failureOf(step.onFailure),
  max_parallel: step.maxParallel,
  point_of_no_return: step.pointOfNoReturn,
  runs_on: step.runsOn,
  cwd: step.cwd,
  shell: step.shell,
  secrets: step.secrets,
  outputs: step.outputs,
  tools: step.tools,
  tags: step.tags,
  ...actionSettings(step),
})

const failureOf = (failure: Step['onFailure']): string | undefined => {
  if (failure === undefined) return undefined
  if (failure.kind === 'retry') return `retry:${failure.times}`
  return failure.kind === 'goto' ? `goto:${failure.step}` : failure.kind
}

const actionSettings = ({ action }: Step): Toml => {
  switch (action.kind) {
    case 'manual':
      return { assignee: action.assignee, due: durationOf(action.dueMs) }
    case 'wait':
      return { wait: action.until ?? durationOf(action.durationMs) }
    case 'sop':
      return { sop: action.sop }
    default:
      return {}
  }
}

/** Settings that never fit into a line. */
const structuredOf = ({ action, env, forEach }: Step): Toml => ({
  env,
  for_each: tomlOf(forEach),
  with: action.kind === 'sop' ? tomlOf(action.with) : undefined,
  http:
    action.kind === 'http'
      ? { method: action.method, url: action.url, headers: action.headers, body: action.body, expect: action.expect }
      : undefined,
  form: action.kind === 'manual' && action.form !== undefined ? action.form.map((field) => ({ ...field })) : undefined,
})

/** A step that stands in the manifest alone. */
const wholeTable = (step: Step, settings: Toml): Toml => {
  const { action, body, rollback, title, verify } = step
  return withoutUndefined({
    number: step.number,
    title,
    description: body,
    commands: action.kind === 'shell' ? action.commands.map(commandOf) : undefined,
    checklist: action.kind === 'manual' ? action.checklist : undefined,
    ...settings,
    rollback: rollback?.map(commandOf),
    verify: verify?.map(commandOf),
  })
}

const SIMPLE = /^[A-Za-z0-9_$][\w.:@/+-]*$/

/** A value as a bracket list holds it; undefined where that would say something else. */
const inlineText = (value: TomlValue): string | undefined => {
  if (typeof value === 'boolean' || typeof value === 'number') return String(value)
  if (Array.isArray(value)) {
    const items = (value as readonly TomlValue[]).map((item) =>
      typeof item === 'number' || (typeof item === 'string' && SIMPLE.test(item)) ? String(item) : undefined,
    )
    return items.every((item) => item !== undefined) ? `[${items.join(', ')}]` : undefined
  }
  return typeof value === 'string' && isInline(value) ? value : undefined
}

const isInline = (text: string): boolean => {
  if (
    text === '' ||
    text.length > 200 ||
    text !== text.trim() ||
    /[\r\n\t\\]|^[[{]/.test(text) ||
    looseValue(text) !== text
  )
    return false
  const pieces = splitAtCommas(`${text}, z`)
  const groups = findGroups(`[${text}]`)
  return pieces.length === 2 && pieces[0]?.text === text && groups.length === 1 && groups[0]?.end === text.length + 2
}

const renderMarkdown = (step: Step, inline: readonly string[]): string => {
  const { action, body, number, rollback = [], title, verify = [] } = step
  const brackets = inline.length === 0 ? '' : ` [${inline.join(', ')}]`
  const marker = `${number}. `
  const parts = [
    `**${escapeText(title)}**${brackets}`,
    ...(body === undefined ? [] : [body]),
    ...(action.kind === 'manual' && action.checklist !== undefined ? [checklistText(action.checklist)] : []),
    ...(action.kind === 'shell' ? action.commands.map((command) => fence(command, 'run')) : []),
    ...verify.map((command) => fence(command, 'verify')),
    ...rollback.map((command) => fence(command, 'rollback')),
  ]
  return marker + indentBy(parts.join('\n\n'), marker.length)
}

const checklistText = (items: readonly string[]): string =>
  items
    .map(
      (item) =>
        `- ${escapeText(item)
          .replace(/^(\d+)([.)])/, '$1\\$2')
          .replace(/^([+#=-])/, '\\$1')
          .replace(/^([a-z][\w-]*):/, '$1\\:')}`,
    )
    .join('\n')

const fence = ({ interpreter, script }: Command, use: FenceUse): string => {
  const longest = Math.max(2, ...[...script.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const marks = '`'.repeat(longest + 1)
  return `${marks}${interpreter}${use === 'run' ? '' : ` ${use}`}\n${script}\n${marks}`
}

/** Whether reading the Markdown gives the step that was written. */
const isReadBack = (markdown: string, step: Step, settings: number): boolean => {
  const source = createSourceText('SOP.md', `## Steps\n\n${markdown}\n`)
  const report = createReport([source])
  const found = findSteps(readMarkdown(source, 0, report), source, report)
  const [read, ...others] = found?.steps ?? []
  return read !== undefined && others.length === 0 && report.list().length === 0 && isSame(read, step, settings)
}

const isSame = (read: RawStep, step: Step, settings: number): boolean => {
  const { action, body = '', rollback = [], title, verify = [] } = step
  const isManual = action.kind === 'manual'
  const prose = read.parts.filter((part) => part.kind === 'prose' || !isManual).map(({ text }) => text)
  const items = read.parts.flatMap((part) => (part.kind === 'bullets' ? part.items : []))
  const checklist = action.kind === 'manual' ? (action.checklist ?? []) : items
  const commands = (use: FenceUse): readonly Command[] =>
    read.commands.filter((command) => command.use === use).map(({ interpreter, script }) => ({ interpreter, script }))
  const wanted = [action.kind === 'shell' ? action.commands : [], verify, rollback]
  const got = [commands('run'), commands('verify'), commands('rollback')]
  return (
    !read.isZ &&
    read.number === step.number &&
    read.title === title &&
    read.settings.length === settings &&
    prose.join('\n\n').trim() === body &&
    JSON.stringify(items) === JSON.stringify(checklist) &&
    JSON.stringify(got) === JSON.stringify(wanted)
  )
}
