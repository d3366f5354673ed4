import { useState } from 'react'
import { Link } from 'react-router'
import type { SopSummary } from '../../../client/client.ts'
import { Empty } from '../../parts/empty.tsx'
import { ErrorBox } from '../../parts/error-box.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { Screen } from '../../parts/screen.tsx'
import { useSops } from '../sop/sop-queries.ts'
import { triggerText } from '../sop/words.ts'
import './sops.css'

/** The catalog: every SOP of the directory, broken ones with what is wrong. */
export function Component() {
  const { data, error, isPending, refetch } = useSops()
  const [wanted, setWanted] = useState('')
  const sops = data?.sops ?? []
  const shown = sops.filter((sop) => fits(sop, wanted))
  return (
    <Screen title="SOPs" aside={sops.length > 0 ? <span className="muted tabular">{countText(sops)}</span> : undefined}>
      {error !== null ? (
        <ErrorBox title="The SOPs cannot be shown" error={error} retry={() => void refetch()} />
      ) : isPending ? (
        <div className="sop-loading" aria-busy="true" />
      ) : sops.length === 0 ? (
        <Empty title="No SOPs yet">
          <p>
            An SOP is a Markdown file in the SOP directory. <code>sop create NAME</code> writes one that runs as it is.
          </p>
        </Empty>
      ) : (
        <>
          <input
            type="search"
            className="input sop-search"
            aria-label="Search SOPs"
            placeholder="Search by name, title, tag or owner…"
            value={wanted}
            onChange={(event) => setWanted(event.target.value)}
          />
          <ul className="sop-list">
            {shown.map((sop) => (
              <SopRow key={`${sop.path} ${sop.name}`} sop={sop} />
            ))}
          </ul>
          {shown.length === 0 && (
            <Empty title="No SOP fits">
              <p>
                <button type="button" className="button" onClick={() => setWanted('')}>
                  Show all
                </button>
              </p>
            </Empty>
          )}
        </>
      )}
    </Screen>
  )
}

const BADGES: Readonly<Record<string, string>> = { critical: ' badge-bad', high: ' badge-warn' }

const fits = ({ name, definition }: SopSummary, wanted: string): boolean => {
  const { title = '', description = '', owner = '', tags = [] } = definition ?? {}
  const text = [name, title, description, owner, ...tags].join(' ').toLowerCase()
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}

const countText = (sops: readonly SopSummary[]): string => {
  const broken = sops.filter(({ definition }) => definition === undefined).length
  return `${sops.length} ${sops.length === 1 ? 'SOP' : 'SOPs'}${broken === 0 ? '' : `, ${broken} broken`}`
}

function SopRow({ sop }: { readonly sop: SopSummary }) {
  const { definition, diagnostics, blockers, notices } = sop
  const errors = diagnostics.filter(({ severity }) => severity === 'error')
  const warnings = diagnostics.filter(({ severity }) => severity === 'warning')
  const [problem] = [...errors.map(({ message }) => message), ...blockers]
  return (
    <li className={`card sop-row${sop.startable ? '' : ' sop-broken'}`}>
      <div className="sop-row-text">
        <h2 className="sop-row-name">
          <Link to={`/sops/${encodeURIComponent(sop.name)}`}>
            <PlainText text={sop.name} />
          </Link>
          {definition !== undefined && definition.title !== sop.name && (
            <span className="sop-row-title">
              <PlainText text={definition.title} />
            </span>
          )}
        </h2>
        {definition !== undefined && definition.description !== '' && (
          <p className="sop-row-description">
            <PlainText text={definition.description} />
          </p>
        )}
        {problem !== undefined && (
          <p className="sop-row-problem">
            <PlainText text={problem} />
          </p>
        )}
        <p className="sop-facts">
          {definition === undefined ? (
            <span>{sop.path}</span>
          ) : (
            [
              `${definition.steps.length} ${definition.steps.length === 1 ? 'step' : 'steps'}`,
              definition.mode?.replaceAll('_', ' ') ?? 'default mode',
              `v${definition.version}`,
              ...definition.triggers.map(triggerText),
              ...(definition.tags ?? []).map((tag) => `#${tag}`),
            ].map((fact) => (
              <span key={fact}>
                <PlainText text={fact} />
              </span>
            ))
          )}
        </p>
      </div>
      <div className="sop-row-side">
        <span className="sop-badges">
          {definition === undefined ? (
            <span className="badge badge-bad">broken</span>
          ) : !sop.startable ? (
            <span className="badge badge-warn">cannot start</span>
          ) : null}
          {errors.length > 1 && <span className="badge badge-bad">{errors.length} errors</span>}
          {warnings.length + notices.length > 0 && (
            <span className="badge badge-warn">
              {warnings.length + notices.length} {warnings.length + notices.length === 1 ? 'finding' : 'findings'}
            </span>
          )}
          {definition !== undefined && definition.priority !== 'normal' && (
            <span className={`badge${BADGES[definition.priority] ?? ''}`}>{definition.priority}</span>
          )}
        </span>
        {sop.startable && (
          <Link className="button" to={`/sops/${encodeURIComponent(sop.name)}?tab=start`}>
            Start…<span className="visually-hidden"> {sop.name}</span>
          </Link>
        )}
      </div>
    </li>
  )
}
