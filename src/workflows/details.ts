import type { GateView, InputView, PoolWaitView, RunView } from '../core/run/view.ts'

// details.ts: the run as Markdown for Temporal's UI, with the JSON to paste where it waits.

const code = (value: object): string => `\`${JSON.stringify(value)}\``

/** Text of a procedure is not ours: it must not become a link or a heading. */
const plain = (text: string): string =>
  text
    .replace(/[\r\n]+/g, ' ')
    .replace(/[\\`*_[\]<>#|]/g, '\\$&')
    .slice(0, 300)

const gateLines = (gate: GateView): readonly string[] => [
  `### Gate \`${gate.gate}\` (attempt ${gate.attempt}) is open since ${gate.openedAt}`,
  plain(gate.title),
  '',
  ...(gate.deadlineAt === undefined ? [] : [`When time is up at ${gate.deadlineAt}: **${gate.onTimeout}**`]),
  ...(gate.approvers ? [`Approvers: ${gate.approvers.map(plain).join(', ')} (a bare signal is refused)`] : []),
  `Approve: signal or update \`approve\` with ${code({ gate: gate.gate })}`,
  '',
  `Reject: \`reject\` with ${code({ gate: gate.gate, reason: '…' })}`,
  '',
]

const inputLines = (input: InputView): readonly string[] => [
  `### Step ${input.stepNumber} waits for a person`,
  plain(input.title),
  '',
  ...(input.assignee === undefined ? [] : [`Assignee: ${plain(input.assignee)}`]),
  ...(input.dueAt === undefined ? [] : [`Due: ${input.dueAt}${input.overdue ? ' (overdue)' : ''}`]),
  ...(input.checklist ?? []).map(({ item, text, ticked }) => `- [${ticked ? 'x' : ' '}] ${item}. ${plain(text)}`),
  `Complete: \`complete\` with ${code({
    step: input.stepNumber,
    ...(input.form && { values: Object.fromEntries(input.form.map(({ name }) => [name, '…'])) }),
  })}`,
  '',
]

const poolLines = ({ stepNumber, title, pool, since, until }: PoolWaitView): readonly string[] => [
  `### Step ${stepNumber} waits for a worker of pool \`${pool}\` since ${since}`,
  plain(title),
  '',
  ...(until === undefined ? [] : [`Given up at ${until}`]),
  '',
]

/** What waits, what to send, and the last refusal. */
export const detailsOf = (view: RunView, refusal: string | undefined): string =>
  [
    `**${plain(view.title)}** ${view.version}: ${view.status}${view.reason === undefined ? '' : ` (${plain(view.reason)})`}`,
    '',
    `Step ${view.currentStep ?? '-'} of ${view.totalSteps}, mode ${view.mode}, priority ${view.priority}`,
    '',
    ...view.openGates.flatMap(gateLines),
    ...view.openInputs.flatMap(inputLines),
    ...(view.poolWaits ?? []).flatMap(poolLines),
    ...(refusal === undefined ? [] : [`Last refused: ${plain(refusal)}`]),
  ].join('\n')
