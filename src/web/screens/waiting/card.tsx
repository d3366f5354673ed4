import { memo } from 'react'
import { Link } from 'react-router'
import type { WaitingItem } from '../../../core/run/waiting.ts'
import { Markdown } from '../../parts/markdown.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { Time } from '../../parts/time.tsx'
import { visible } from '../../parts/visible.ts'
import { Answer, type Asked } from './answer.tsx'
import { Covered, Script, Values } from './covered.tsx'
import type { Card } from './use-cards.ts'

const KINDS: Readonly<Record<WaitingItem['kind'], { readonly name: string; readonly tone: string }>> = {
  gate: { name: 'Approval', tone: 'wait' },
  input: { name: 'To do', tone: 'active' },
  unknown: { name: 'Unknown outcome', tone: 'bad' },
  paused: { name: 'Paused', tone: 'warn' },
}

const SINCE: Readonly<Record<WaitingItem['kind'], string>> = {
  gate: 'asked',
  input: 'asked',
  unknown: 'lost',
  paused: 'paused',
}

interface CardProps extends Card {
  /** A single key asked for this answer. */
  readonly asked: Asked | undefined
  readonly onAsked: () => void
  /** The viewer answers it from here, so that its end is no news. */
  readonly onMine: (key: string) => void
  /** The answer was refused after all. */
  readonly onRefused: (item: WaitingItem, reason: string) => void
}

/** One thing that waits: what, where, since and until when, what happens then, and the answer. */
export const WaitingCard = memo(function WaitingCard({ item, gone, asked, onAsked, onMine, onRefused }: CardProps) {
  const kind = KINDS[item.kind]
  const headingId = `${item.key}-title`
  return (
    <li>
      <article className="card wait-card" tabIndex={-1} aria-labelledby={headingId} data-key={item.key}>
        <header className="wait-head">
          <span className={`badge badge-${kind.tone}`}>{kind.name}</span>
          {(item.priority === 'critical' || item.priority === 'high') && (
            <span className={`badge badge-${item.priority === 'critical' ? 'bad' : 'warn'}`}>{item.priority}</span>
          )}
          <Link to={`/runs/${encodeURIComponent(item.runId)}`} className="wait-run">
            <PlainText text={item.sopName} />
          </Link>
          {item.stepNumber > 0 && (
            <span className="muted small">
              step {item.stepNumber} of {item.totalSteps}
            </span>
          )}
          <span className="wait-since muted small">
            {SINCE[item.kind]} <Time at={item.since} />
          </span>
        </header>
        <h2 id={headingId}>
          <PlainText text={clip(item.title)} />
        </h2>
        {gone !== undefined ? (
          <p className="gone" role="status">
            <PlainText text={gone} />
          </p>
        ) : (
          <>
            <p className="wait-why">
              <PlainText text={item.why} />{' '}
              {item.until !== undefined && (
                <>
                  {item.kind === 'gate' ? 'Until ' : 'Due '}
                  <strong>
                    <Time at={item.until} as="both" />
                  </strong>
                  .{' '}
                </>
              )}
              {item.then}
            </p>
            {item.body !== undefined && item.body !== '' && (
              <div className="wait-body">
                <Markdown text={item.body.slice(0, 20_000)} />
              </div>
            )}
            {item.kind === 'gate' ? <Covered item={item} /> : <Values title="Params" values={item.params} />}
            <Previous item={item} />
            <Answer item={item} asked={asked} onAsked={onAsked} onMine={onMine} onRefused={onRefused} />
          </>
        )}
      </article>
    </li>
  )
})

/** A title may be anything; the run has all of it. */
const clip = (title: string): string => (title.length > 300 ? `${title.slice(0, 300)}…` : title)

function Previous({ item: { runId, previous, stepNumber, kind } }: { readonly item: WaitingItem }) {
  const address = `/runs/${encodeURIComponent(runId)}?step=${previous?.number ?? stepNumber}`
  const link = <Link to={address}>{kind === 'gate' || kind === 'input' ? 'All of it' : 'All of its output'}</Link>
  if (previous === undefined) return kind === 'gate' || kind === 'input' ? null : <p className="small">{link}</p>
  const { number, title, status, output = '', error = '' } = previous
  const isOwn = number === stepNumber
  // Why the step itself failed stands above already.
  const result = [output, isOwn ? '' : error].flatMap((text) => (text.trim() === '' ? [] : [text.trimEnd()])).join('\n')
  if (isOwn && result === '') return <p className="small">{link}</p>
  return (
    // What somebody has to judge stands there; what went well before may be looked at.
    <details className="previous" open={isOwn && result !== ''}>
      <summary>
        {isOwn ? 'What came of it' : 'Before it'}: step {number}, <PlainText text={clip(title)} /> (
        {status.replaceAll('_', ' ')})
      </summary>
      {result === '' ? (
        <p className="muted">No output came with its end. {link}</p>
      ) : (
        <>
          <Script name="Its output" text={visible(result)} />
          <p className="small">{link}</p>
        </>
      )}
    </details>
  )
}
