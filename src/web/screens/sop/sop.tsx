import { lazy, Suspense } from 'react'
import { Link, useParams, useSearchParams } from 'react-router'
import { ErrorBox } from '../../parts/error-box.tsx'
import { LinkTabs } from '../../parts/link-tabs.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { Screen } from '../../parts/screen.tsx'
import { Findings } from './findings.tsx'
import { History } from './history.tsx'
import { Settings } from './settings.tsx'
import { type Sop, useSop } from './sop-queries.ts'
import '../../parts/lists.css'
import './sop.css'
import { Source } from './source.tsx'
import { StartForm } from './start-form.tsx'
import { procedureOf } from './words.ts'

// Both bring libraries of their own.
const Markdown = lazy(async () => ({ default: (await import('../../parts/markdown.tsx')).Markdown }))
const Versions = lazy(async () => ({ default: (await import('./versions.tsx')).Versions }))

const TABS = [
  ['procedure', 'Procedure'],
  ['start', 'Start'],
  ['runs', 'Runs'],
  ['versions', 'Versions'],
  ['source', 'Source'],
] as const
type Tab = (typeof TABS)[number][0]

/** One SOP: what it says, what it is set to, how to start it, what became of it. */
export function Component() {
  const { name = '' } = useParams()
  const [search] = useSearchParams()
  const tab = TABS.find(([key]) => key === search.get('tab'))?.[0] ?? 'procedure'
  const { data: sop, error, refetch } = useSop(name)
  const here = `/sops/${encodeURIComponent(name)}`
  const addressOf = (key: Tab): string => (key === 'procedure' ? here : `${here}?tab=${key}`)
  return (
    <Screen
      title={sop?.definition?.title ?? name}
      aside={sop === undefined ? undefined : <Head sop={sop} here={here} />}
    >
      {error !== null && sop === undefined ? (
        <>
          <ErrorBox title="This SOP cannot be shown" error={error} retry={() => void refetch()} />
          <Link to="/sops">All SOPs</Link>
        </>
      ) : sop === undefined ? (
        <div className="sop-loading" aria-busy="true" />
      ) : (
        <>
          <LinkTabs
            label="Parts of this SOP"
            current={addressOf(tab)}
            tabs={TABS.map(([key, label]) => ({
              name: label,
              to: addressOf(key),
              ...(key === 'source' && sop.diagnostics.length > 0 && { note: String(sop.diagnostics.length) }),
            }))}
          />
          <Suspense fallback={<div className="sop-loading" aria-busy="true" />}>
            <TabPart sop={sop} tab={tab} sourceAddress={addressOf('source')} />
          </Suspense>
        </>
      )}
    </Screen>
  )
}

function Head({ sop, here }: { readonly sop: Sop; readonly here: string }) {
  return (
    <span className="sop-head">
      <code>
        <PlainText text={sop.name} />
      </code>
      {sop.definition !== undefined && <span className="muted">v{sop.definition.version}</span>}
      {sop.startable ? (
        <Link className="button button-primary" to={`${here}?tab=start`}>
          Start…
        </Link>
      ) : (
        <span className="badge badge-bad">cannot start</span>
      )}
    </span>
  )
}

function TabPart({
  sop,
  tab,
  sourceAddress,
}: {
  readonly sop: Sop
  readonly tab: Tab
  readonly sourceAddress: string
}) {
  switch (tab) {
    case 'procedure':
      return <Procedure sop={sop} sourceAddress={sourceAddress} />
    case 'start':
      return <StartForm key={sop.name} sop={sop} />
    case 'runs':
      return <History name={sop.name} />
    case 'versions':
      return <Versions name={sop.name} />
    case 'source':
      return <Source sop={sop} />
    default:
      return tab satisfies never
  }
}

function Procedure({ sop, sourceAddress }: { readonly sop: Sop; readonly sourceAddress: string }) {
  const [, text] = Object.entries(sop.source ?? {}).find(([path]) => path.endsWith('.md')) ?? []
  return (
    <div className="two-columns">
      <article className="card sop-procedure" aria-label="Procedure">
        <Findings sop={sop} sourceAddress={sourceAddress} />
        {text !== undefined ? (
          <Markdown text={procedureOf(text)} below />
        ) : (
          <p className="muted">It has no Markdown: its manifest, under Source, is all there is.</p>
        )}
      </article>
      <Settings sop={sop} />
    </div>
  )
}
