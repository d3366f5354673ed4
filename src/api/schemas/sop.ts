import { z } from 'zod'
import type { NewSop, PlanItem, RunPlan, SopSummary, SopVersion, SopVersionDetail } from '../../client/client.ts'
import type { NextItem } from '../../core/next.ts'
import { EXECUTION_MODES, PRIORITIES, type SopDefinition } from '../../core/definition.ts'
import type { Diagnostic } from '../../core/diagnostic.ts'
import { components, instant, jsonRecord, list } from './registry.ts'

export const diagnostic: z.ZodType<Diagnostic> = z
  .object({
    code: z.string().describe('Stable name of the rule'),
    severity: z.enum(['error', 'warning', 'hint']),
    message: z.string(),
    place: z.object({
      file: z.string(),
      line: z.int().min(1),
      column: z.int().min(1),
      length: z.int().exactOptional(),
    }),
    sourceLine: z.string().exactOptional(),
    help: z.string().exactOptional().describe('The way out'),
  })
  .register(components, { id: 'Diagnostic', description: 'A finding about a source document' })

// The compiled form belongs to the compiler, and its format is docs/sop-format.md: here stand the keys that a list shows.
const definition = z
  .looseObject({
    format: z.literal(1),
    name: z.string(),
    title: z.string(),
    description: z.string(),
    version: z.string(),
    priority: z.enum(PRIORITIES),
    mode: z.enum(EXECUTION_MODES).exactOptional().describe("Absent: the configuration's default"),
    triggers: z.array(z.looseObject({ type: z.string() })),
    steps: z.array(
      z.looseObject({
        number: z.int(),
        slug: z.string(),
        title: z.string(),
        action: z.looseObject({ kind: z.string() }),
      }),
    ),
  })
  .register(components, {
    id: 'SopDefinition',
    description: 'The compiled SOP. More keys than these may be there',
  }) as unknown as z.ZodType<SopDefinition>

const summaryFields = {
  name: z.string(),
  path: z.string().describe('Path of its main file, relative to the SOP directory'),
  definition: definition.exactOptional().describe('Absent when the SOP does not compile'),
  digest: z.string().exactOptional().describe('SHA-256 of the definition'),
  diagnostics: list(diagnostic),
  startable: z.boolean(),
  blockers: list(z.string()).describe('Why no run of it can be started'),
  notices: list(z.string()).describe('What is written and not served yet'),
}

const sopSummary: z.ZodType<SopSummary> = z
  .object(summaryFields)
  .register(components, { id: 'SopSummary', description: 'One SOP of the catalog, compiled or broken' })

export const sopList = z.object({ sops: list(sopSummary) }).register(components, { id: 'SopList' })

export const sopDetail: z.ZodType<SopSummary & { readonly source?: Readonly<Record<string, string>> }> = z
  .object({ ...summaryFields, source: z.record(z.string(), z.string()).exactOptional().describe('File name to text') })
  .register(components, { id: 'Sop', description: 'One SOP with its source files' })

const versionFields = {
  digest: z.string().describe('SHA-256 of the definition'),
  version: z.string(),
  current: z.literal(true).exactOptional().describe('It is what the file says now'),
  runs: z.int(),
  firstAt: instant.exactOptional(),
  lastAt: instant.exactOptional(),
}
const sopVersion: z.ZodType<SopVersion> = z
  .object(versionFields)
  .register(components, { id: 'SopVersion', description: 'A definition that runs of an SOP ran by' })

export const sopVersions = z.object({ versions: list(sopVersion) }).register(components, { id: 'SopVersions' })

export const sopVersionDetail: z.ZodType<SopVersionDetail> = z
  .object({
    ...versionFields,
    sop: z.string(),
    definition,
    source: z.record(z.string(), z.string()).exactOptional().describe('File name to text, where it was kept'),
  })
  .register(components, { id: 'SopVersionDetail' })

export const newSop: z.ZodType<NewSop> = z
  .strictObject({
    name: z.string(),
    description: z.string().exactOptional(),
    mode: z.enum(EXECUTION_MODES).exactOptional(),
    priority: z.string().exactOptional(),
    dialect: z.enum(['A', 'D']).exactOptional().describe('A: a folder with SOP.toml and SOP.md. D: a single file'),
  })
  .register(components, { id: 'NewSop' })

export const createdSop = z
  .object({ name: z.string(), files: list(z.string()) })
  .register(components, { id: 'CreatedSop' })

const planItemShape = z.object({
  kind: z.enum(['start_gate', 'gate', 'step']),
  id: z.string(),
  title: z.string(),
  stepNumber: z.int(),
  action: z.string().exactOptional(),
  runsOn: z.string().exactOptional().describe('The pool of workers that carries it out'),
  runs: z.enum(['yes', 'no', 'unknown']),
  condition: z.string().exactOptional(),
  note: z.string().exactOptional(),
  approvers: list(z.string()).exactOptional(),
  timeout: z.string().exactOptional(),
  commands: list(z.string()).exactOptional(),
  needs: list(z.int()).exactOptional().describe('Steps that it waits for, where steps have branches'),
  beside: list(z.int()).exactOptional().describe('Steps that may be under way at the same time'),
  each: z
    .object({
      total: z.int().exactOptional().describe('Absent: known only during the run'),
      items: list(z.string()).exactOptional().describe('The first of them'),
      note: z.string().exactOptional(),
      atOnce: z.int().describe('How many may be under way at the same time'),
    })
    .exactOptional()
    .describe('The items of a for_each step'),
  rollback: list(z.string()).exactOptional().describe('Commands that undo it'),
  pointOfNoReturn: z.literal(true).exactOptional(),
  child: z
    .object({
      sop: z.string(),
      mode: z.string(),
      params: jsonRecord.describe('Those that are known before the run'),
      items: z.lazy((): z.ZodType<readonly PlanItem[]> => list(planItem)),
    })
    .exactOptional()
    .describe('The plan of the SOP that it runs; only at the first of the steps that run it'),
})

const planItem: z.ZodType<PlanItem> = planItemShape.register(components, { id: 'PlanItem' })

export const nextItem: z.ZodType<NextItem> = z
  .object({
    ...planItemShape.shape,
    now: z.literal(true).exactOptional().describe('The run is at it now'),
    undo: z.literal(true).exactOptional().describe('It is undone, since the run walks back'),
  })
  .register(components, { id: 'NextItem' })

export const runPlan: z.ZodType<RunPlan> = z
  .object({
    sop: z.string(),
    digest: z.string(),
    mode: z.string(),
    params: jsonRecord,
    wouldStart: z.boolean(),
    problems: list(z.string()),
    errors: list(z.object({ path: z.string(), message: z.string() }))
      .exactOptional()
      .describe('Those of the problems that are about one value, e.g. of `params.version`'),
    warnings: list(z.string()),
    items: list(planItem),
  })
  .register(components, { id: 'RunPlan', description: 'What a run would do; nothing was started' })
