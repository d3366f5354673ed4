import type { DeliveryView, TriggerTestResult, TriggerView } from '../../client/trigger-client.ts'
import { renderValues } from './json-value.ts'
import type { RunLook } from './run-view.ts'
import { renderState } from './state.ts'
import { fit, renderTable } from './table.ts'
import { renderInstant } from './time.ts'

const AWAITS_COLUMNS = 40

/** Triggers as a table, one a line, each with what it did last. */
export const renderTriggers = (triggers: readonly TriggerView[], { colours, now, long }: RunLook): string =>
  renderTable(
    ['SOP', 'TRIGGER', 'WAITS FOR', 'LAST', 'VERDICT', 'RUN', 'STATE', ...(long ? ['CONDITION'] : [])].map((heading) =>
      colours.dim(heading),
    ),
    triggers.map((trigger) => {
      const { sop, type, awaits, condition, problem } = trigger
      const last = lastOf(trigger)
      return [
        sop,
        type,
        long ? awaits : fit(awaits, AWAITS_COLUMNS),
        last === undefined ? '-' : renderInstant(last.at, now, long),
        last?.verdict ?? (problem === undefined ? '-' : 'not served'),
        last?.runId ?? '-',
        last?.runState === undefined ? '-' : renderState(colours, last.runState),
        ...(long ? [condition ?? '-'] : []),
      ]
    }),
  )

/** Its last delivery, or the last run of its schedule, whichever is newer. */
const lastOf = ({
  last,
  lastRun,
}: TriggerView): Pick<DeliveryView, 'at' | 'verdict' | 'runId' | 'runState'> | undefined =>
  lastRun === undefined || (last !== undefined && last.at > lastRun.at)
    ? last
    : { at: lastRun.at, verdict: 'started', runId: lastRun.runId, runState: lastRun.state }

/** Deliveries as a table; `long` shows reasons and payloads below each. */
export const renderDeliveries = (deliveries: readonly DeliveryView[], look: RunLook): string => {
  const { colours, now, long } = look
  const table = renderTable(
    ['DELIVERY', 'WHEN', 'FROM', 'WHAT', 'SOP', 'VERDICT', 'RUN', 'STATE'].map((heading) => colours.dim(heading)),
    deliveries.map((each) => [
      each.id,
      renderInstant(each.at, now, long),
      each.source,
      long ? each.subject : fit(each.subject, AWAITS_COLUMNS),
      each.sop ?? '-',
      each.verdict,
      each.runId ?? '-',
      each.runState === undefined ? '-' : renderState(colours, each.runState),
    ]),
  )
  if (!long) return table
  const details = deliveries.flatMap(({ id, reason, runReason, principal, key, payload, redacted }) => [
    `${id}: by ${principal}${key === undefined ? '' : `, key ${key}`}`,
    ...(reason === undefined ? [] : [`  ${reason}`]),
    ...(runReason === undefined ? [] : [`  Its run: ${runReason}`]),
    ...(payload === undefined ? [] : [`  Payload: ${JSON.stringify(payload)}`]),
    ...(redacted === undefined ? [] : [`  Not kept: ${redacted}`]),
  ])
  return [table, ...details].join('\n')
}

const VERDICTS = {
  would_start: 'would start',
  duplicate: 'would be answered with',
  refused: 'would be refused',
  unmatched: 'would not start',
} as const

/** What each trigger would do with a payload. */
export const renderTests = (results: readonly TriggerTestResult[]): string =>
  results
    .map(({ sop, type, awaits, verdict, params = {}, runId, reason }) => {
      const values = renderValues(params)
      return [
        `${sop} (${type} ${awaits}): ${VERDICTS[verdict]}${runId === undefined ? '' : ` run ${runId}`}`,
        ...(values === '' ? [] : [`  Params: ${values}`]),
        ...(reason === undefined ? [] : [`  ${reason}`]),
      ].join('\n')
    })
    .join('\n')
