import type { Control } from '../../../core/run/controls.ts'
import type { DecisionReply } from '../../../core/run/decision.ts'
import type { WaitingItem } from '../../../core/run/waiting.ts'
import { queryClient } from '../../api/query-client.ts'
import { request } from '../../api/request.ts'

/** What a person says besides the answer itself. */
export interface Said {
  readonly comment?: string
  readonly values?: Readonly<Record<string, unknown>>
}

/** Sends an answer, bound to what was shown. @throws ApiProblem with who decided, where somebody was quicker */
export async function answer(item: WaitingItem, { verb, body }: Control, said: Said = {}): Promise<DecisionReply> {
  const reply = await send(item, verb, { ...body, ...withoutEmpty(said) })
  await queryClient.invalidateQueries({ queryKey: ['waiting'] })
  return reply
}

/** Ticks an item of a checklist off, or takes that back. */
export async function tick(item: WaitingItem, number: number, ticked: boolean): Promise<void> {
  await send(item, 'complete', { step: item.stepNumber, item: number, ticked })
  await queryClient.invalidateQueries({ queryKey: ['waiting'] })
}

const send = (item: WaitingItem, verb: string, body: object): Promise<DecisionReply> =>
  request<DecisionReply>(`/api/v1/runs/${encodeURIComponent(item.runId)}/${verb}`, {
    method: 'POST',
    // The same id however often it is sent: it counts once.
    body: { ...body, decisionId: `web-${crypto.randomUUID()}` },
  })

const withoutEmpty = ({ comment = '', values }: Said): Said => ({
  ...(comment.trim() !== '' && { comment: comment.trim() }),
  ...(values !== undefined && Object.keys(values).length > 0 && { values }),
})
