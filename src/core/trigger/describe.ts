import type { Trigger } from '../definition.ts'

/** What a trigger waits for, in one text: a path, a name, a pattern. */
export const awaitedBy = (trigger: Trigger): string => {
  switch (trigger.type) {
    case 'manual':
      return ''
    case 'cron':
      return trigger.expression
    case 'webhook':
    case 'file_watch':
      return trigger.path
    case 'command':
      return trigger.pattern
    case 'event':
      return trigger.event
    case 'mqtt':
      return trigger.topic
    case 'amqp':
      return trigger.routingKey
    case 'sop':
      return trigger.sop
    case 'unserved':
      return trigger.name
    default:
      return trigger satisfies never
  }
}
