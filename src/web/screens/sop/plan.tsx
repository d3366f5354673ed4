import type { PlanItem, RunPlan } from '../../../client/client.ts'
import { PlainText } from '../../parts/plain-text.tsx'

/** What a run would do: nothing was started. */
export function Plan({ plan }: { readonly plan: RunPlan }) {
  return (
    <>
      <h2>
        {plan.wouldStart ? 'It would start' : 'It would not start'}
        <span className="plan-mode">{plan.mode.replaceAll('_', ' ')}</span>
      </h2>
      {plan.problems.map((text) => (
        <p key={text} className="finding finding-error">
          <PlainText text={text} />
        </p>
      ))}
      {plan.warnings.map((text) => (
        <p key={text} className="finding finding-warning">
          <PlainText text={text} />
        </p>
      ))}
      <PlanItems items={plan.items} />
    </>
  )
}

function PlanItems({ items }: { readonly items: readonly PlanItem[] }) {
  return (
    <ol className="plan-items">
      {items.map((item) => (
        <PlanRow key={`${item.kind} ${item.id}`} item={item} />
      ))}
    </ol>
  )
}

const RUNS = { yes: '', no: 'skipped', unknown: 'depends' } as const

function PlanRow({ item }: { readonly item: PlanItem }) {
  const notes = [
    ...(item.action === undefined ? [] : [item.action]),
    ...(item.condition === undefined ? [] : [`if ${item.condition}`]),
    ...(item.note === undefined ? [] : [item.note]),
    ...(item.approvers === undefined ? [] : [`by ${item.approvers.join(', ')}`]),
    ...(item.timeout === undefined ? [] : [item.timeout]),
    ...(item.runsOn === undefined ? [] : [`on ${item.runsOn}`]),
    ...(item.beside === undefined || item.beside.length === 0 ? [] : [`beside ${item.beside.join(', ')}`]),
    ...(item.each === undefined ? [] : [`${item.each.total ?? '?'} items, ${item.each.atOnce} at once`]),
    ...(item.rollback === undefined ? [] : ['can be rolled back']),
    ...(item.pointOfNoReturn === true ? ['point of no return'] : []),
  ]
  return (
    <li className={`plan-item plan-${item.kind === 'step' ? 'step' : 'gate'} plan-runs-${item.runs}`}>
      <span className="plan-title">
        <PlainText text={item.title} />
        {item.kind !== 'step' && <span className="badge badge-wait">gate</span>}
        {item.runs !== 'yes' && <span className="badge">{RUNS[item.runs]}</span>}
      </span>
      {notes.length > 0 && (
        <span className="small muted">
          <PlainText text={notes.join(' · ')} />
        </span>
      )}
      {(item.commands ?? []).map((command) => (
        <pre key={command} tabIndex={0} aria-label="Command">
          <PlainText text={command} />
        </pre>
      ))}
      {item.child !== undefined && <PlanItems items={item.child.items} />}
    </li>
  )
}
