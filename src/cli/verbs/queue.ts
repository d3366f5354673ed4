import type { QueueChange, QueuePlace } from '../../client/queue-client.ts'
import type { Priority } from '../../core/definition.ts'
import { PRIORITY_KEYS } from '../../core/run/admission.ts'
import type { Verb } from '../command.ts'
import { UsageError } from '../exit-codes.ts'
import { renderQueue } from '../render/queue.ts'

export interface QueueOptions {
  readonly before?: string
  readonly priority?: Priority
  readonly reason?: string
  readonly long?: boolean
}

export const queue: Verb<QueueOptions> = async (context, [action, ref], options) => {
  checkOptions(action, ref, options)
  const client = await context.client()
  if (action === undefined || ref === undefined) {
    const { colours, io } = context
    const look = { colours, now: io.now(), long: options.long === true }
    context.show(await client.getQueue(), (clean) => renderQueue(clean, look))
    return undefined
  }
  const request = options.reason === undefined ? {} : { reason: options.reason }
  const done =
    action === 'drop'
      ? client.dropFromQueue(ref, request)
      : action === 'admit'
        ? client.admitFromQueue(ref, request)
        : client.moveInQueue(ref, placeOf(options), request)
  context.show(await done, (clean) => SAYS[clean.action](clean))
  return undefined
}

const SAYS: Readonly<Record<QueueChange['action'], (change: QueueChange) => string>> = {
  move: ({ runId, position }) => `Moved run ${runId} to place ${position} of the queue.`,
  drop: ({ runId }) => `Dropped run ${runId}: it ends cancelled.`,
  admit: ({ runId }) => `Admitted run ${runId}.`,
}

const placeOf = ({ before, priority }: QueueOptions): QueuePlace =>
  before !== undefined
    ? { to: 'before', before }
    : priority !== undefined
      ? { to: 'priority', priority: PRIORITY_KEYS[priority] }
      : { to: 'front' }

const checkOptions = (action: string | undefined, ref: string | undefined, options: QueueOptions): void => {
  const { before, priority, reason } = options
  if (action !== undefined && ref === undefined)
    throw new UsageError(`Cannot ${action}: it needs a run, e.g. sop queue ${action} RUN`)
  if (action !== 'move' && (before ?? priority) !== undefined)
    throw new UsageError('Cannot use --before and --priority here: they belong to "move"')
  if (before !== undefined && priority !== undefined)
    throw new UsageError('Cannot move it to two places: give --before or --priority')
  if (action === undefined && reason !== undefined)
    throw new UsageError('Cannot use --reason here: it belongs to move, drop and admit')
}
