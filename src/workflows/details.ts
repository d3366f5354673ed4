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

/** What ends the pause, as JSON to paste. */
const pauseLines = ({ paused }: RunView): readonly string[] => {
  if (paused === undefined) return []
  const step = paused.stepNumber === undefined ? {} : { step: paused.stepNumber }
  const ways: Readonly<Record<string, readonly (readonly [verb: string, argument: object, what: string])[]>> = {
    requested: [['resume', {}, 'go on']],
    unknown: [
      ['complete', { ...step, comment: '…' }, 'it ran'],
      ['retry', { ...step, outcome: 'did_not_run', comment: '…' }, 'it did not run'],
      ['retry', { ...step, comment: '…' }, 'run it again though it may have run'],
      ['skip', { ...step, reason: '…' }, 'go on without it'],
    ],
    rollback: [
      ['retry', step, 'undo the step'],
      ['skip', { ...step, reason: '…' }, 'leave the step as it is and undo those before it'],
    ],
  }
  const others = [
    ['retry', {}, 'try again'],
    ...(paused.stepNumber === undefined ? [] : [['skip', { ...step, reason: '…' }, 'go on without the step'] as const]),
  ] as const
  return [
    `### Paused since ${paused.since}`,
    ...[...(ways[paused.kind] ?? others), ['cancel', { reason: '…' }, 'end the run'] as const].map(
      ([verb, argument, what]) => `- \`${verb}\` with ${code(argument)}: ${what}`,
    ),
    '',
  ]
}

/** What waits, what to send, and the last refusal. */
export const detailsOf = (view: RunView, refusal: string | undefined): string =>
  [
    `**${plain(view.title)}** ${view.version}: ${view.status}${view.reason === undefined ? '' : ` (${plain(view.reason)})`}`,
    '',
    `Step ${view.currentStep ?? '-'} of ${view.totalSteps}, mode ${view.mode}, priority ${view.priority}`,
    '',
    ...(view.held === undefined ? [] : [`### Held since ${view.held.since}: it goes on by itself`, '']),
    ...pauseLines(view),
    ...view.openGates.flatMap(gateLines),
    ...view.openInputs.flatMap(inputLines),
    ...(view.poolWaits ?? []).flatMap(poolLines),
    ...(refusal === undefined ? [] : [`Last refused: ${plain(refusal)}`]),
  ].join('\n')
