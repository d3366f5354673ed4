import type { ReactNode } from 'react'
import type { Param, SopDefinition } from '../../../core/definition.ts'
import { PlainText } from '../../parts/plain-text.tsx'
import { length } from '../../parts/time-text.ts'
import type { Sop } from './sop-queries.ts'
import { approvalTexts, gateText, MODES, stepTexts, triggerText } from './words.ts'

/** What the SOP is set to, as it was compiled. */
export function Settings({ sop }: { readonly sop: Sop }) {
  const { definition } = sop
  if (definition === undefined) {
    return (
      <aside className="sop-settings" aria-label="Settings">
        <p className="muted">It does not compile, so it has no settings yet.</p>
        <Facts rows={[['File', sop.path]]} />
      </aside>
    )
  }
  return (
    <aside className="sop-settings" aria-label="Settings">
      <Facts rows={factsOf(definition)} />
      <Group title="Params" items={definition.params ?? []}>
        {(param) => (
          <Item key={param.name} name={param.name} notes={paramTexts(param)} text={param.description} isCode />
        )}
      </Group>
      <Group title="Gates" items={definition.gates ?? []}>
        {(gate) => (
          <Item
            key={gate.key}
            name={gate.key}
            notes={[
              gate.type,
              gateText(gate),
              ...(gate.if === undefined ? [] : [`if ${gate.if.text}`]),
              ...approvalTexts(gate),
              ...(gate.required ? [] : ['not required']),
            ]}
          />
        )}
      </Group>
      <Group title="Steps" items={definition.steps}>
        {(step) => (
          <Item
            key={step.number}
            name={`${step.number}. ${step.title}`}
            notes={[step.action.kind, ...stepTexts(step)]}
          />
        )}
      </Group>
      <Facts
        rows={[
          ['File', sop.path],
          ['Definition', sop.digest?.slice(0, 12)],
        ]}
      />
    </aside>
  )
}

type Row = readonly [name: string, value: string | undefined]

function Facts({ rows }: { readonly rows: readonly Row[] }) {
  return (
    <dl className="facts">
      {rows.map(([name, value]) =>
        value === undefined || value === '' ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <PlainText text={value} />
            </dd>
          </div>
        ),
      )}
    </dl>
  )
}

interface GroupProps<T> {
  readonly title: string
  readonly items: readonly T[]
  readonly children: (item: T) => ReactNode
}

function Group<T>({ title, items, children }: GroupProps<T>) {
  if (items.length === 0) return null
  return (
    <section className="setting-group">
      <h2>{title}</h2>
      <ul>{items.map(children)}</ul>
    </section>
  )
}

interface ItemProps {
  readonly name: string
  readonly notes: readonly string[]
  readonly text?: string | undefined
  readonly isCode?: boolean
}

function Item({ name, notes, text, isCode = false }: ItemProps) {
  return (
    <li>
      <span className={isCode ? 'setting-name setting-code' : 'setting-name'}>
        <PlainText text={name} />
      </span>
      {text !== undefined && (
        <span className="small">
          <PlainText text={text} />
        </span>
      )}
      <span className="small muted">
        <PlainText text={notes.join(' · ')} />
      </span>
    </li>
  )
}

const timeText = (ms: number | undefined): string | undefined => (ms === undefined || ms === 0 ? undefined : length(ms))

const factsOf = (definition: SopDefinition): readonly Row[] => {
  const { conditions, admission, maxConcurrent, onRunTimeout } = definition
  const timeout = timeText(definition.timeoutMs)
  return [
    ['Mode', definition.mode === undefined ? "the configuration's default" : MODES[definition.mode]],
    ['Priority', definition.priority],
    ['Begins', definition.triggers.map(triggerText).join('\n') || 'by hand'],
    ['Conditions', conditionTexts(conditions).join('\n')],
    ['Cooldown', timeText(definition.cooldownMs)],
    [
      'At once',
      maxConcurrent === undefined
        ? undefined
        : `${maxConcurrent} ${maxConcurrent === 1 ? 'run' : 'runs'}; others ${ADMISSIONS[admission]}`,
    ],
    ['Locks', definition.locks?.join(', ')],
    ['Blackout', [...(definition.blackout ?? []), ...(definition.holidays ?? [])].join('\n')],
    ['Time limit', timeout === undefined ? undefined : `${timeout}, then ${onRunTimeout ?? 'fail'}`],
    [
      'Approvals',
      definition.approvalTimeoutMs === undefined
        ? undefined
        : definition.approvalTimeoutMs === null
          ? 'wait for ever'
          : `wait ${length(definition.approvalTimeoutMs)}`,
    ],
    ['Timezone', definition.timezone],
    ['Secrets', definition.secrets?.join(', ')],
    ['Owner', definition.owner],
    ['Author', definition.author],
    ['Tags', definition.tags?.join(', ')],
  ]
}

const ADMISSIONS = { queue: 'wait their turn', reject: 'are refused', coalesce: 'give way to the newest' } as const

const conditionTexts = (conditions: SopDefinition['conditions']): readonly string[] => [
  ...(conditions?.requires ?? []).map(({ text }) => text),
  ...(conditions?.expression === undefined ? [] : [conditions.expression.text]),
]

const paramTexts = (param: Param): readonly string[] => [
  param.choices === undefined ? param.type : param.choices.join(' | '),
  ...(param.required === true ? ['required'] : []),
  ...(param.default === undefined || param.secret === true ? [] : [`default ${String(param.default)}`]),
  ...(param.pattern === undefined ? [] : [`pattern ${param.pattern}`]),
  ...(param.secret === true ? ['secret'] : []),
]
