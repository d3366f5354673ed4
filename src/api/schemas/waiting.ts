import { z } from 'zod'
import { PRIORITIES } from '../../core/definition.ts'
import { WAITING_KINDS } from '../../core/run/waiting.ts'
import { components, instant, jsonRecord, list } from './registry.ts'
import { control } from './control.ts'
import { gateView, inputView, stepView } from './run.ts'

const texts = list(z.string())

const coveredStep = z
  .object({
    number: z.int(),
    title: z.string(),
    kind: z.string(),
    commands: texts.exactOptional(),
    verify: texts.exactOptional(),
    rollback: texts.exactOptional(),
    runsOn: z.string().exactOptional().describe('The pool of workers that carries it out'),
    pointOfNoReturn: z.literal(true).exactOptional(),
  })
  .register(components, { id: 'CoveredStep', description: 'A step that an approval covers' })

export const waitingItem = z
  .object({
    key: z.string().describe('Names it for as long as it waits'),
    kind: z.enum(WAITING_KINDS),
    runId: z.string(),
    sopName: z.string(),
    sopTitle: z.string(),
    version: z.string(),
    priority: z.enum(PRIORITIES),
    startedBy: z.string(),
    trigger: z.string(),
    stepNumber: z.int().describe('0 for what concerns the whole run'),
    totalSteps: z.int(),
    title: z.string(),
    since: instant,
    until: instant.exactOptional().describe('When it is answered without a person, or overdue'),
    then: z.string().describe('What happens then, as a sentence'),
    why: z.string().describe('Why it waits, as a sentence'),
    params: jsonRecord,
    body: z.string().exactOptional().describe('The prose of the step, as Markdown'),
    gate: gateView.exactOptional(),
    input: inputView.exactOptional(),
    covered: list(coveredStep).exactOptional().describe('What an approval covers'),
    coveredSteps: z.int().exactOptional().describe('How many steps that are, where `covered` leaves some out'),
    previous: stepView.exactOptional().describe('The step that ended last'),
    secondLook: texts.exactOptional().describe('Why an approval wants a second look, as sentences'),
    actions: list(control),
    mine: z.boolean().describe('You can answer it'),
  })
  .register(components, { id: 'Waiting', description: 'One thing that waits for a person' })

export const waitingList = z
  .object({ items: list(waitingItem), total: z.int(), mine: z.int().describe('How many of them you can answer') })
  .register(components, { id: 'WaitingList' })
