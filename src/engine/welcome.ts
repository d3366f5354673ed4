import { SopError } from '../core/errors.ts'
import type { RecordedEvent } from '../core/run/event.ts'
import { isClosed } from '../core/run/state.ts'
import type { SopClient } from '../client/client.ts'
import type { Out } from './console.ts'

/** The example that a first start runs. */
const WELCOME_SOP = 'welcome'

/** How often it looks for news, in milliseconds. */
const LOOK_MS = 250

/**
 * Runs the example of a first start and tells, as it happens, what the engine does.
 *
 * @param isStopping whether the engine is going down: then it stops telling, and the run goes on at the next start.
 */
export const runWelcome = async (client: SopClient, out: Out, isStopping: () => boolean): Promise<void> => {
  const say = (text: string): void => void out.write(`${text}\n`)
  let runId: string
  try {
    runId = (await client.createRun(WELCOME_SOP)).runId
  } catch (error) {
    if (error instanceof SopError && error.code === 'not_found') {
      say(`The SOP directory has no "${WELCOME_SOP}", so there is no welcome run.`)
      return
    }
    throw error
  }
  say(`\nThe welcome run ${runId}:`)
  let told = 0
  while (!isStopping()) {
    const { events } = await client.getAuditLog(runId)
    for (const event of events.filter(({ sequence }) => sequence > told)) {
      const sentence = tell(event)
      if (sentence !== undefined) say(`  ${event.timestamp.slice(11, 19)}  ${sentence}`)
    }
    told = events.at(-1)?.sequence ?? told
    const { status } = await client.getRunStatus(runId)
    if (isClosed(status) && events.some(({ eventType }) => eventType === `run_${status}`)) {
      say(`\nThat was a whole run. Its record: npx sop audit ${runId}`)
      say('Next: npx sop list, npx sop create my-first-sop, npx sop run my-first-sop --wait')
      return
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
}

const firstLine = (text: string): string => text.trim().split('\n', 1)[0] ?? ''

/** One event as a sentence; `undefined` where there is nothing to tell. */
const tell = (event: RecordedEvent): string | undefined => {
  switch (event.eventType) {
    case 'run_started':
      return `started with ${event.details.totalSteps} steps`
    case 'step_started':
      return `step ${event.stepNumber}: ${event.details.title}`
    case 'step_completed': {
      const line = firstLine(event.details.output ?? '')
      return `        done in ${event.details.duration}${line === '' ? '' : `: ${line}`}`
    }
    case 'step_skipped':
      return `step ${event.stepNumber}: ${event.details.title} is skipped, because ${event.details.reason}`
    case 'step_failed':
      return `        failed: ${event.details.error}`
    case 'approval_requested':
      return [
        `gate "${event.details.gate}" waits for a decision: npx sop approve ${event.runId}`,
        ...(event.details.deadlineAt === undefined
          ? []
          : [
              `          (the timer says ${event.details.onTimeout} at ${event.details.deadlineAt.slice(11, 19)} UTC if nobody does)`,
            ]),
      ].join('\n')
    case 'approval_granted':
      return `approved by ${event.principal.id} via ${event.via}`
    case 'approval_timeout':
      return `time is up: the timer says ${event.details.action}`
    case 'run_completed':
      return `completed in ${event.details.duration}`
    case 'run_failed':
      return `failed: ${event.details.reason}`
    case 'run_cancelled':
      return `cancelled: ${event.details.reason}`
    default:
      return undefined
  }
}
