import { Link } from 'react-router'
import type { Control, RunControls } from '../../../client/client.ts'
import type { RunView } from '../../../core/run/view.ts'
import { PlainText } from '../../parts/plain-text.tsx'
import { StateBadge } from '../../parts/state-badge.tsx'
import { length } from '../../parts/time-text.ts'
import { Time, useNow } from '../../parts/time.tsx'
import { ControlsBar } from './controls-bar.tsx'

interface RunHeadProps {
  readonly run: RunView
  readonly controls: RunControls | undefined
  readonly onDone: () => void
}

/** Which run it is, how it stands, and what can be done about it as a whole. */
export function RunHead({ run, controls, onDone }: RunHeadProps) {
  const own = (controls?.controls ?? []).filter(({ about }: Control) => about === 'run')
  return (
    <header className="run-head">
      <div className="run-title">
        <h1>
          <PlainText text={run.title} />
        </h1>
        <StateBadge state={run.status} />
        {run.pauseRequestedBy !== undefined && (
          <span className="badge badge-warn">pauses soon, asked by {run.pauseRequestedBy}</span>
        )}
      </div>
      <dl className="run-facts">
        <Fact name="SOP">
          <Link to={`/sops/${encodeURIComponent(run.sopName)}`}>
            <PlainText text={run.sopName} />
          </Link>{' '}
          <Link
            to={`/sops/${encodeURIComponent(run.sopName)}?tab=versions&to=${run.digest}`}
            title={run.digest}
            className="muted"
          >
            v<PlainText text={run.version} /> · {run.digest.slice(0, 10)}
          </Link>
        </Fact>
        <Fact name="Run">
          <code>{run.runId}</code>
        </Fact>
        <Fact name="Started">
          <Time at={run.createdAt} as="both" /> by <PlainText text={run.startedBy.id} /> via {run.via}
          {run.trigger.type !== 'manual' && <> ({run.trigger.type})</>}
        </Fact>
        <Fact
          name={run.completedAt !== undefined ? 'Took' : run.startedAt === undefined ? 'Waiting for' : 'Running for'}
        >
          <Took run={run} />
        </Fact>
        <Fact name="Mode">
          {run.mode.replaceAll('_', ' ')} · {run.priority}
        </Fact>
        {run.parent !== undefined && (
          <Fact name="Part of">
            <Link to={`/runs/${encodeURIComponent(run.parent.runId)}?step=${run.parent.stepNumber}`}>
              {run.parent.runId}
            </Link>
          </Fact>
        )}
        {controls?.temporalUrl !== undefined && (
          <Fact name="Temporal">
            <a href={controls.temporalUrl} target="_blank" rel="noopener noreferrer">
              Execution
            </a>
          </Fact>
        )}
      </dl>
      <ControlsBar name="The run" run={run} controls={own} onDone={onDone} />
    </header>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function Took({ run }: { readonly run: RunView }) {
  const now = useNow()
  const end = run.completedAt === undefined ? now : Date.parse(run.completedAt)
  return <span className="tabular">{length(Math.max(0, end - Date.parse(run.createdAt)))}</span>
}
