import { buildSop, placedConditions, readName, sopFields } from './compile/build-sop.ts'
import { buildStep, type DraftStep, readDefaults } from './compile/build-step.ts'
import { listCondition } from './condition/list.ts'
import { withWrittenLists } from './compile/written-lists.ts'
import { checkNames, namesSet, type PlacedCondition } from './compile/check-names.ts'
import { checkScript, type PlacedScript, placeFence, placeSetting } from './compile/check-commands.ts'
import type { SopReference } from './compile/link-sops.ts'
import { createLookup, linkSteps, slugsFor } from './compile/link-steps.ts'
import { mergeSteps } from './compile/merge-steps.ts'
import type { Command, Hint, SopDefinition, Step } from './definition.ts'
import type { Diagnostic, Place } from './diagnostic.ts'
import type { DiagnosticCode } from './dialect/codes.ts'
import { readDocuments, type SopDocument } from './dialect/documents.ts'
import type { Fields } from './dialect/fields.ts'
import { createReport, type Report } from './dialect/report.ts'
import { createSourceText, type SourceText } from './dialect/source-text.ts'
import { readZeroclawStep } from './dialect/zeroclaw.ts'

// compile.ts: from the text of an SOP's files to its definition, or to everything that is wrong with them.

/** A file as text. `path` is relative to the SOP directory, with `/` between its parts. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** The files that make up one SOP: `SOP.toml` or `manifest.json` and `SOP.md`, or a single Markdown file. */
export interface SopSource {
  readonly files: readonly SourceFile[]
  /** The folder's name or the file's stem: the SOP's name unless it says another. */
  readonly fallbackName: string
}

export interface Compiled {
  readonly name: string
  /** Absent when there is an error. */
  readonly definition?: SopDefinition
  readonly diagnostics: readonly Diagnostic[]
  /** Its steps that run SOPs, and its triggers that wait for the end of one, where there are any: whether those are there, only all of a directory together tell. */
  readonly runs?: readonly SopReference[]
}

/** Largest file, and largest definition as JSON, in bytes. */
export const MAX_BYTES = 1024 * 1024

/**
 * Compiles an SOP. Never throws: what is wrong is in the diagnostics, all of it at once, and a definition is there only
 * when none of it is an error.
 */
export const compile = (source: SopSource): Compiled => {
  const sources = source.files.map(({ path, text }) => createSourceText(path, cleaned(text)))
  const report = createReport(sources)
  const large = sources.filter(({ text }) => text.length > MAX_BYTES)
  for (const { on, path } of large) report.add('too-large', on(1), tooLarge(path), SMALLER)
  if (large.length > 0) return { name: source.fallbackName, diagnostics: report.list() }
  const { name, definition, runs } = compileSources(sources, source.fallbackName, report)
  const found = { name, diagnostics: report.list(), ...(runs.length > 0 && { runs }) }
  return report.hasErrors ? found : { ...found, definition }
}

// Half a surrogate pair is no text: UTF-8 has no bytes for it.
const cleaned = (text: string): string => text.replace(/^\ufeff/, '').replace(/\p{Surrogate}/gu, '\ufffd')

const compileSources = (
  sources: readonly SourceText[],
  fallbackName: string,
  report: Report,
): { readonly name: string; readonly definition: SopDefinition; readonly runs: readonly SopReference[] } => {
  const document = readDocuments(sources, report)
  const fields = sopFields(document, report)
  const name = readName(fields, fallbackName)
  const drafts = draftSteps(document, fields, report)
  const slugs = slugsFor(drafts.map(({ step }) => step))
  const find = createLookup(
    drafts.map(({ step }) => step),
    slugs,
    report,
  )
  const linked = linkSteps(drafts, slugs, find, report)
  const zeroclaw = applyZeroclaw(drafts, linked)
  const { hints: stepHints, refusals: stepRefusals, steps } = zeroclaw
  const gateScripts: PlacedScript[] = []
  const keepCommand = (command: Command, place: Place): void => void gateScripts.push(placeSetting(command, place))
  const ends: SopReference[] = []
  const keepSop = (sop: string, place: Place): void => void ends.push(referenceTo(sop, place, report))
  const built = buildSop({ name, document, fields, steps, find, keepCommand, keepSop, stepHints, stepRefusals })
  const definition = withWrittenLists(built)
  check({ definition, drafts, fields, gateScripts, sources, report })
  return {
    name,
    definition: { ...definition, ...lackOfSteps(definition, document, report) },
    runs: [...referencesOf(drafts, report), ...ends],
  }
}

const referencesOf = (drafts: readonly DraftStep[], report: Report): readonly SopReference[] =>
  drafts.flatMap(({ step: { number, title, action }, fields }) => {
    if (action.kind !== 'sop') return []
    return [{ ...referenceTo(action.sop, fields.valuePlace('sop'), report), step: { number, title } }]
  })

const referenceTo = (sop: string, place: Place, report: Report): SopReference => {
  const sourceLine = report.sourceLine(place)
  return { sop, place, ...(sourceLine !== undefined && { sourceLine }) }
}

const draftSteps = (document: SopDocument, fields: Fields, report: Report): readonly DraftStep[] => {
  const isZeroclaw = document.dialect === 'Z'
  const table = fields.table('defaults')
  const defaults = table === undefined ? undefined : readDefaults(table, report)
  const merged = mergeSteps({ markdown: document.steps, manifest: fields.located('steps'), isZeroclaw }, report)
  return merged.map((step) => buildStep(step, { report, defaults }))
}

interface Applied {
  readonly steps: readonly Step[]
  readonly hints: readonly Hint[]
  readonly refusals: readonly string[]
}

const applyZeroclaw = (drafts: readonly DraftStep[], steps: readonly Step[]): Applied => {
  const hints: Hint[] = []
  const refusals: string[] = []
  const applied = steps.map((step, index): Step => {
    const fields = drafts[index]?.fields
    const { number, title, action, approvers } = step
    const context = {
      number,
      title,
      isLast: index === steps.length - 1,
      isManual: action.kind === 'manual',
      hasApprovers: approvers !== undefined,
    }
    const found = fields === undefined ? undefined : readZeroclawStep(fields, context)
    if (found === undefined) return step
    hints.push(...found.hints)
    refusals.push(...found.refusals)
    return {
      ...step,
      ...(found.action === undefined ? {} : { action: found.action }),
      ...(found.requiresApproval === undefined ? {} : { requiresApproval: true }),
      ...(found.outputs === undefined ? {} : { outputs: [...new Set([...(step.outputs ?? []), ...found.outputs])] }),
    }
  })
  return { steps: applied, hints, refusals }
}

interface Checked {
  readonly definition: SopDefinition
  readonly drafts: readonly DraftStep[]
  readonly fields: Fields
  readonly gateScripts: readonly PlacedScript[]
  readonly sources: readonly SourceText[]
  readonly report: Report
}

/** What can be said about a definition as a whole. */
const check = (checked: Checked): void => {
  const { definition, fields, report } = checked
  checkCommands(checked)
  checkNames(conditionsOf(checked), namesSet(definition), report)
  const bytes = new TextEncoder().encode(JSON.stringify(definition)).length
  if (bytes > MAX_BYTES) {
    const message = `Cannot use the definition: it has ${bytes} bytes of JSON, and a run carries at most ${MAX_BYTES}`
    report.add('too-large', fields.place, message, SMALLER)
  }
}

const conditionsOf = ({ definition, drafts, fields }: Checked): readonly PlacedCondition[] => [
  ...placedConditions(fields),
  ...drafts.flatMap(({ fields: own }, index) => [
    ...(['if', 'approve_if'] as const).flatMap((key) => {
      const condition = own.has(key) ? own.condition(key) : undefined
      return condition === undefined ? [] : [{ condition, place: own.valuePlace(key) }]
    }),
    ...listNames(definition.steps[index]?.forEach, own),
  ]),
]

const listNames = (forEach: Step['forEach'], own: Fields): readonly PlacedCondition[] => {
  const condition = typeof forEach === 'string' ? listCondition(forEach) : undefined
  return condition === undefined ? [] : [{ condition, place: own.valuePlace('for_each'), setting: 'for_each' }]
}

const checkCommands = ({ definition, drafts, gateScripts, sources, report }: Checked): void => {
  const shared = declaredNames(definition)
  for (const [index, { fences, fields: own }] of drafts.entries()) {
    const step = definition.steps[index]
    const declared = new Set([...shared, ...Object.keys(step?.env ?? {}), ...(step?.secrets ?? [])])
    for (const fence of fences) {
      const source = sources.find(({ path }) => path === fence.code.place.file)
      checkScript(placeFence(fence, source), declared, report)
    }
    for (const key of ['commands', 'rollback', 'verify'] as const) {
      if (!own.has(key)) continue
      const commands =
        key === 'commands' ? (step?.action.kind === 'shell' ? step.action.commands : []) : (step?.[key] ?? [])
      for (const command of commands) checkScript(placeSetting(command, own.valuePlace(key)), declared, report)
    }
  }
  for (const script of gateScripts) checkScript(script, shared, report)
}

/** Variables that every command of the SOP can count on. */
const declaredNames = ({ params = [], secrets = [], env = {}, steps }: SopDefinition): ReadonlySet<string> => {
  const outputs = steps.flatMap(({ outputs: names = [], action }) => [
    ...names,
    ...(action.kind === 'manual' ? (action.form ?? []).map(({ name }) => name) : []),
  ])
  const names = [...params.map(({ name }) => name), ...outputs].map((name) => name.replaceAll('-', '_'))
  return new Set([...names, ...secrets, ...Object.keys(env)])
}

/** An SOP without steps does nothing; a manifest alone is listed all the same, and never starts. */
const lackOfSteps = (
  { name, steps, refusals = [] }: SopDefinition,
  { hasMarkdown, isBroken, place }: SopDocument,
  report: Report,
): Pick<SopDefinition, 'refusals'> => {
  if (steps.length > 0 || isBroken) return refusals.length === 0 ? {} : { refusals }
  if (hasMarkdown) {
    const help = 'Write headings "## Step 1: Title", or a numbered list under a heading "## Steps"'
    report.add('no-steps', place, `Cannot run "${name}": it has no steps`, help)
    return {}
  }
  const message = `"${name}" has no steps yet: it is listed and cannot start`
  if (!report.hasErrors) report.add('no-steps-yet', place, message, 'Write the steps in SOP.md beside it')
  return { refusals: [...refusals, `SOP "${name}" has no steps yet: write them in SOP.md`] }
}

const tooLarge = (path: string): string => `Cannot read "${path}": it is larger than 1 MiB`

/** The text of a file without its byte order mark, or why it is none: larger than 1 MiB, or not UTF-8, with the place. */
export const decodeSource = (
  path: string,
  bytes: Uint8Array,
): { readonly text: string } | { readonly diagnostic: Diagnostic } => {
  if (bytes.length > MAX_BYTES) {
    const message = `${tooLarge(path)} (${bytes.length} bytes)`
    return refuseFile('too-large', message, { file: path, line: 1, column: 1 }, SMALLER)
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    const nul = text.indexOf('\0')
    if (nul === -1) return { text }
    const place = createSourceText(path, text).at(nul)
    const message = `Cannot read "${path}": it holds a NUL, so it is no text, or not UTF-8`
    return refuseFile('not-utf8', message, place, 'Save the file as UTF-8')
  } catch {
    const at = firstBadByte(bytes)
    const lines = new TextDecoder().decode(bytes.subarray(0, at)).split(/\r\n|\n|\r/)
    const hex = (bytes[at] ?? 0).toString(16).padStart(2, '0')
    const place = { file: path, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
    return refuseFile(
      'not-utf8',
      `Cannot read "${path}": byte ${at + 1} (0x${hex}) is not UTF-8`,
      place,
      'Save the file as UTF-8',
    )
  }
}

const SMALLER = 'Divide the SOP into several, and run them as steps'

const refuseFile = (
  code: DiagnosticCode,
  message: string,
  place: Place,
  help: string,
): { readonly diagnostic: Diagnostic } => ({
  diagnostic: { code, severity: 'error', message, place, help },
})

/** Offset of the first character that is not UTF-8. */
const firstBadByte = (bytes: Uint8Array): number => {
  // With `stream`, a character that is cut off is not yet an error, and not yet part of the text.
  const read = (end: number): string | undefined => {
    try {
      const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      return decoder.decode(bytes.subarray(0, end), { stream: true })
    } catch {
      return undefined
    }
  }
  let good = 0
  let bad = bytes.length + 1
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (read(middle) === undefined) bad = middle
    else good = middle
  }
  return new TextEncoder().encode(read(good)).length
}
