import type { SopDefinition, Trigger } from '../definition.ts'

export type CronTrigger = Extract<Trigger, { readonly type: 'cron' }>

/** The cron triggers of a definition, in its order: the number of a schedule counts them from 1. */
export const cronsOf = ({ triggers }: SopDefinition): readonly CronTrigger[] =>
  triggers.filter((trigger): trigger is CronTrigger => trigger.type === 'cron')
