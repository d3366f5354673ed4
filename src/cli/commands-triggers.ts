import { DELIVERY_VERDICTS } from '../core/trigger/delivery.ts'
import { OCCURRENCE_SOURCES } from '../core/trigger/occurrence.ts'
import type { CommandSpec } from './command.ts'

/** Verbs about what begins runs by itself. */
export const TRIGGER_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'triggers',
    summary: 'what begins runs, what came for it, and what would start',
    details:
      'Without an action, the triggers of all SOPs (of one SOP) with what each did last. "deliveries" lists what came, "test" says what a ' +
      'payload would start and why not, starting nothing, and "redeliver" delivers again what came. An SOP of one of these names: --sop.',
    args: [
      { name: '[what]', summary: 'an SOP; or test, deliveries, redeliver', completes: 'sop' },
      {
        name: '[of]',
        summary: 'test: file with the payload as JSON; deliveries: an SOP; redeliver: id of a delivery',
        completes: 'file',
      },
    ],
    options: [
      { flags: '--sop <name>', summary: 'only of this SOP', completes: 'sop' },
      { flags: '--payload <json>', summary: 'test: the payload itself; @FILE reads a file, - standard input' },
      {
        flags: '--source <source>',
        summary: 'test: where it comes from; deliveries: only from there',
        choices: OCCURRENCE_SOURCES,
      },
      { flags: '--subject <text>', summary: 'test: path of the webhook, name of the event, the message, the topic' },
      {
        flags: '--action <what>',
        summary: 'test: what happened to it: create, modify, delete; completed, failed; POST',
      },
      { flags: '--header <name=value>', summary: 'test: a header that comes with it', repeats: true },
      { flags: '--verdict <verdict>', summary: 'deliveries: only those', choices: DELIVERY_VERDICTS },
      { flags: '-n, --limit <number>', summary: 'deliveries: how many (default 50)' },
      { flags: '-l, --long', summary: 'times in UTC, with reasons and payloads' },
    ],
    examples: [
      'sop triggers',
      'sop triggers incident-response',
      'sop triggers test alert.json --source webhook --subject /webhook/incident',
      'sop triggers test --source file_watch --subject inbox/orders/7.csv --action modify',
      `sop triggers test --payload '{"severity": "high"}'`,
      'sop triggers deliveries --verdict refused',
      'sop triggers redeliver del_01kag3qvz5c1t7m0w2e9n4y8xa',
    ],
    load: async () => (await import('./verbs/triggers.ts')).triggers,
  },
  {
    name: 'event',
    summary: 'tell of something that happened: every SOP that waits for it begins a run',
    args: [{ name: '<name>', summary: 'name of the event' }],
    options: [
      { flags: '--payload <json>', summary: 'what is known of it; @FILE reads a file, - standard input' },
      { flags: '--key <key>', summary: 'of events with one key each SOP runs once' },
    ],
    examples: [
      `sop event deploy.failed --payload '{"environment": "production"}'`,
      'sop event disk.full --payload @disk.json --key db-1',
    ],
    load: async () => (await import('./verbs/event.ts')).event,
  },
  {
    name: 'message',
    summary: 'pass on what somebody wrote: an SOP whose pattern it meets begins a run',
    details:
      'The pattern that takes most of the message counts. "/approve RUN [STEP]" and "/reject RUN [STEP] [REASON]" decide about a gate.',
    args: [{ name: '<text...>', summary: 'the message' }],
    options: [{ flags: '--key <key>', summary: 'of messages with one key each SOP runs once' }],
    examples: ['sop message deploy:shop', `sop message '/approve deploy-production 2'`],
    load: async () => (await import('./verbs/message.ts')).message,
  },
]
