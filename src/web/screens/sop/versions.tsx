import { useState } from 'react'
import type { SopVersion, SopVersionDetail } from '../../../client/client.ts'
import { ErrorBox } from '../../parts/error-box.tsx'
import { PlainText } from '../../parts/plain-text.tsx'
import { Time } from '../../parts/time.tsx'
import { Diff } from './diff.tsx'
import { useVersion, useVersions } from './sop-queries.ts'

/** The definitions that runs ran by, and what changed from one to another. */
export function Versions({ name }: { readonly name: string }) {
  const { data, error, refetch } = useVersions(name)
  const [chosen, choose] = useState<{ readonly from?: string; readonly to?: string }>({})
  const versions = data?.versions ?? []
  const to = chosen.to ?? versions[0]?.digest
  const from = chosen.from ?? versions.find(({ digest }) => digest !== to)?.digest
  if (error !== null)
    return <ErrorBox title="The versions cannot be shown" error={error} retry={() => void refetch()} />
  if (data === undefined) return <div className="sop-loading" aria-busy="true" />
  return (
    <>
      <div className="scroll-x card" tabIndex={0} role="region" aria-label="Versions">
        <table className="versions-table">
          <thead>
            <tr>
              <th scope="col">Definition</th>
              <th scope="col">Version</th>
              <th scope="col">Runs</th>
              <th scope="col">First run</th>
              <th scope="col">Last run</th>
              <th scope="col">Compare from</th>
              <th scope="col">to</th>
            </tr>
          </thead>
          <tbody>
            {versions.map((version) => (
              <VersionRow
                key={version.digest}
                version={version}
                from={from}
                to={to}
                onFrom={() => choose({ ...chosen, from: version.digest })}
                onTo={() => choose({ ...chosen, to: version.digest })}
              />
            ))}
          </tbody>
        </table>
      </div>
      {versions.length < 2 ? (
        <p className="muted">
          There is nothing to compare yet: {versions.length === 0 ? 'it has not run' : 'all runs ran by one definition'}
          .
        </p>
      ) : from === to ? (
        <p className="muted">Choose two different ones.</p>
      ) : (
        <Compared name={name} from={from} to={to} />
      )}
    </>
  )
}

interface VersionRowProps {
  readonly version: SopVersion
  readonly from: string | undefined
  readonly to: string | undefined
  readonly onFrom: () => void
  readonly onTo: () => void
}

function VersionRow({ version, from, to, onFrom, onTo }: VersionRowProps) {
  const { digest, firstAt, lastAt, current } = version
  const short = digest.slice(0, 12)
  return (
    <tr>
      <td>
        <code title={digest}>{short}</code> {current === true && <span className="badge badge-active">now</span>}
      </td>
      <td>
        <PlainText text={version.version} />
      </td>
      <td className="tabular">{version.runs}</td>
      <td>{firstAt === undefined ? '' : <Time at={firstAt} as="absolute" />}</td>
      <td>{lastAt === undefined ? '' : <Time at={lastAt} as="absolute" />}</td>
      <td>
        <input type="radio" name="from" aria-label={`From ${short}`} checked={digest === from} onChange={onFrom} />
      </td>
      <td>
        <input type="radio" name="to" aria-label={`To ${short}`} checked={digest === to} onChange={onTo} />
      </td>
    </tr>
  )
}

interface ComparedProps {
  readonly name: string
  readonly from: string | undefined
  readonly to: string | undefined
}

function Compared({ name, from, to }: ComparedProps) {
  const [before, after] = [useVersion(name, from), useVersion(name, to)]
  const error = before.error ?? after.error
  if (error !== null) return <ErrorBox title="They cannot be compared" error={error} />
  if (before.data === undefined || after.data === undefined) return <div className="sop-loading" aria-busy="true" />
  const isText = before.data.source !== undefined && after.data.source !== undefined
  return (
    <>
      {!isText && <p className="muted">The text of one of them was not kept, so here is what it was compiled to.</p>}
      <Diff
        before={isText ? textsOf(before.data) : compiledOf(before.data)}
        after={isText ? textsOf(after.data) : compiledOf(after.data)}
      />
    </>
  )
}

const textsOf = ({ source }: SopVersionDetail): Readonly<Record<string, string>> => source ?? {}
const compiledOf = ({ definition }: SopVersionDetail): Readonly<Record<string, string>> => ({
  definition: `${JSON.stringify(definition, null, 2)}\n`,
})
