import { ITEM_STATES } from '../../core/run/items.ts'
import type { ItemsView } from '../../core/run/view-items.ts'
import type { HoldView } from '../../core/run/view-pause.ts'
import { z } from 'zod'
import type { AuditLog, LogChunk, RunPage } from '../../client/client.ts'
import { PARAM_TYPES, PRIORITIES, type Param } from '../../core/definition.ts'
import { EVENT_TYPES } from '../../core/run/event.ts'
import { PAUSE_KINDS, ROLLBACK_CAUSES } from '../../core/run/run.ts'
import { RUN_STATES, STEP_STATES } from '../../core/run/state.ts'
import type { GateView, InputView, PoolWaitView, RunSummary, RunView, StepView } from '../../core/run/view.ts'
import { principal, surface, triggerInfo } from './principal.ts'
import { components, instant, jsonRecord, list } from './registry.ts'

const mode = z.enum(['auto', 'supervised', 'step_by_step'])
const priority = z.enum(PRIORITIES)

const param: z.ZodType<Param> = z
  .object({
    name: z.string(),
    type: z.enum(PARAM_TYPES),
    description: z.string().exactOptional(),
    required: z.boolean().exactOptional(),
    default: z.union([z.string(), z.number(), z.boolean()]).exactOptional(),
    choices: list(z.string()).exactOptional(),
    pattern: z.string().exactOptional(),
    secret: z.boolean().exactOptional(),
  })
  .register(components, { id: 'Param', description: 'A typed value that a run or a form takes' })

export const gateView: z.ZodType<GateView> = z
  .object({
    gate: z.string().describe('Gate id; decisions name it'),
    attempt: z.int(),
    stepNumber: z.int(),
    title: z.string(),
    because: z.string(),
    openedAt: instant,
    deadlineAt: instant.exactOptional(),
    reminders: z.int().exactOptional(),
    remindAt: instant.exactOptional(),
    onTimeout: z.string().exactOptional(),
    approvers: list(z.string()).exactOptional(),
    covers: z.string().exactOptional().describe('Digest of what the approval covers'),
    commands: list(z.string()).exactOptional(),
  })
  .register(components, { id: 'Gate', description: 'An open gate' })

export const inputView: z.ZodType<InputView> = z
  .object({
    stepNumber: z.int(),
    title: z.string(),
    body: z.string().exactOptional(),
    since: instant,
    assignee: z.string().exactOptional(),
    dueAt: instant.exactOptional(),
    overdue: z.literal(true).exactOptional(),
    checklist: list(z.object({ item: z.int(), text: z.string(), ticked: z.boolean() })).exactOptional(),
    form: list(param).exactOptional(),
  })
  .register(components, { id: 'Input', description: 'A manual step that waits for a person or an agent' })

export const itemsView: z.ZodType<ItemsView> = z
  .object({
    total: z.int(),
    pending: z.int(),
    running: z.int(),
    success: z.int(),
    failed: z.int(),
    skipped: z.int(),
    unknown: z.int(),
    rolled_back: z.int().exactOptional(),
    shown: list(
      z.object({
        item: z.int(),
        value: z.string(),
        status: z.enum(ITEM_STATES),
        attempt: z.int(),
        startedAt: instant.exactOptional(),
        exitCode: z.int().exactOptional(),
        error: z.string().exactOptional(),
        reason: z.string().exactOptional(),
        child: z.string().exactOptional(),
      }),
    ).describe('Those that failed, run, are unknown or were skipped; of each state the first ones'),
  })
  .register(components, { id: 'Items', description: 'The items of a for_each step' })

export const stepView: z.ZodType<StepView> = z
  .object({
    number: z.int(),
    slug: z.string(),
    title: z.string(),
    kind: z.string(),
    status: z.enum(STEP_STATES),
    attempt: z.int(),
    runsOn: z.string().exactOptional().describe('The pool of workers that carries it out'),
    startedAt: instant.exactOptional(),
    completedAt: instant.exactOptional(),
    durationMs: z.number().exactOptional(),
    exitCode: z.int().exactOptional(),
    output: z.string().exactOptional(),
    outputs: jsonRecord.exactOptional(),
    error: z.string().exactOptional(),
    reason: z.string().exactOptional(),
    needs: list(z.int()).exactOptional().describe('Steps that it waits for, where the SOP says so'),
    items: itemsView.exactOptional(),
    child: z.string().exactOptional().describe('Run id of the SOP that it runs'),
  })
  .register(components, { id: 'Step' })

const hold: z.ZodType<HoldView> = z
  .object({
    since: instant.describe('When it began to wait'),
    storeDownSince: instant.describe('When a write of the record first failed'),
    unrecorded: z.int().describe('Events that were not on record then'),
  })
  .register(components, { id: 'Hold', description: 'A run that waits for its record' })

const poolWait: z.ZodType<PoolWaitView> = z
  .object({
    stepNumber: z.int(),
    title: z.string(),
    pool: z.string(),
    since: instant,
    until: instant.exactOptional().describe('When it is given up and fails'),
  })
  .register(components, { id: 'PoolWait', description: 'A step that waits for a worker of its pool' })

export const runView: z.ZodType<RunView> = z
  .object({
    runId: z.string(),
    sopName: z.string(),
    title: z.string(),
    version: z.string(),
    digest: z.string(),
    status: z.enum(RUN_STATES),
    mode,
    priority,
    currentStep: z.int().nullable(),
    totalSteps: z.int(),
    createdAt: instant,
    startedAt: instant.exactOptional(),
    completedAt: instant.exactOptional(),
    reason: z.string().exactOptional(),
    paused: z
      .object({
        kind: z.enum(PAUSE_KINDS),
        since: instant,
        by: z.string(),
        stepNumber: z.int().exactOptional(),
        gate: z.string().exactOptional(),
      })
      .exactOptional()
      .describe(
        'Why it stands still: a `requested` pause ends by resume, an `unknown` one by complete, the others by retry, skip or cancel',
      ),
    rollback: z
      .object({
        because: z.enum(ROLLBACK_CAUSES),
        then: z.enum(['failed', 'cancelled']),
        by: z.string(),
        left: list(z.int()).exactOptional().describe('Steps still to undo, the next one first'),
        failed: z.string().exactOptional().describe('Why the undo of the next step failed'),
      })
      .exactOptional()
      .describe('The finished steps are undone before the run ends'),
    pauseRequestedBy: z.string().exactOptional().describe('Who asked for a pause at the next boundary'),
    params: jsonRecord,
    outputs: jsonRecord,
    trigger: triggerInfo,
    startedBy: principal,
    via: surface,
    openGates: list(gateView),
    openInputs: list(inputView),
    held: hold.exactOptional().describe('Its events cannot be put on record; it goes on by itself'),
    poolWaits: list(poolWait).exactOptional().describe('Steps whose pool has no worker now'),
    stepResults: list(stepView),
    parent: z
      .object({ runId: z.string(), stepNumber: z.int(), item: z.int().exactOptional() })
      .exactOptional()
      .describe('The run whose step this one is'),
    warnings: list(z.string()).exactOptional(),
    sequence: z.int(),
    stale: z.literal(true).exactOptional().describe('From the record: the run may be further on'),
  })
  .register(components, { id: 'Run' })

export const runSummary: z.ZodType<RunSummary> = z
  .object({
    runId: z.string(),
    sopName: z.string(),
    version: z.string(),
    digest: z.string().exactOptional().describe('Names the definition that it runs by'),
    status: z.enum(RUN_STATES),
    priority,
    mode,
    currentStep: z.int().nullable(),
    totalSteps: z.int(),
    createdAt: instant,
    startedAt: instant.exactOptional(),
    completedAt: instant.exactOptional(),
    reason: z.string().exactOptional(),
    startedBy: z.string(),
    trigger: z.string(),
    openGates: list(z.string()),
    openInputs: list(z.int()).exactOptional().describe('Numbers of the manual steps that wait'),
    poolWaits: list(z.string()).exactOptional().describe('Pools that a step waits for a worker of'),
    sequence: z.int(),
  })
  .register(components, { id: 'RunSummary' })

export const runList: z.ZodType<RunPage> = z
  .object({
    runs: list(runSummary),
    next: z.string().exactOptional().describe('`cursor` of the next page. Absent: this is the last one'),
    total: z.int().exactOptional().describe('How many fit in all; on the first page'),
    more: z.literal(true).exactOptional().describe('There are more than `total`'),
  })
  .register(components, { id: 'RunList' })

export const auditLog = z
  .object({
    runId: z.string(),
    events: z.array(
      z.object({
        sequence: z.int(),
        timestamp: instant,
        eventType: z.enum(EVENT_TYPES),
        runId: z.string(),
        stepNumber: z.int().exactOptional(),
        principal,
        via: surface,
        details: z.looseObject({}).describe('By event type: docs/architecture.md'),
        previousHash: z.string(),
        hash: z.string(),
      }),
    ),
    sentences: list(z.string()).describe('Each event as a sentence, in the same order'),
  })
  .register(components, {
    id: 'AuditLog',
    description: 'The events of a run in order, chained by hashes',
  }) as unknown as z.ZodType<AuditLog>

export const logChunk: z.ZodType<LogChunk> = z
  .object({
    runId: z.string(),
    stepNumber: z.int(),
    attempt: z.int(),
    source: z.string().describe("`step`, `verify`, `rollback` or a gate's key"),
    item: z.int().exactOptional().describe('Item of a for_each step, from 1'),
    offset: z.int(),
    next: z.int().describe('Offset to go on from'),
    text: z.string(),
    base64: z.string().exactOptional().describe('Where it was asked for: the bytes as they came'),
    complete: z.boolean().describe('Nothing more will come'),
    truncated: z.literal(true).exactOptional().describe('Output was left out: a line of the log says how much'),
  })
  .register(components, { id: 'LogChunk' })
