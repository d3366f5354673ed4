import { useState } from 'react'
import { visible } from '../../parts/visible.ts'
import { addressOf, type LogChoice, pathOf } from './log-choice.ts'
import type { LogState } from './log-window.ts'
import type { LogSearch } from './use-log-search.ts'
import { lastWritten } from './ansi-line.tsx'

/** A log of more bytes is for a file, not for the clipboard. */
const MOST_COPIED = 5_000_000

interface LogToolsProps {
  readonly runId: string
  readonly log: LogChoice
  readonly state: LogState
  readonly search: LogSearch
  readonly follows: boolean
  readonly onFollow: (follows: boolean) => void
}

/** Search, follow, copy, download. */
export function LogTools({ runId, log, state, search, follows, onFollow }: LogToolsProps) {
  const download = `${pathOf(runId)}/logs/download?${addressOf(log)}`
  return (
    <div className="log-tools">
      <form
        className="log-search"
        role="search"
        onSubmit={(event) => {
          event.preventDefault()
          search.move(1)
        }}
      >
        <input
          type="search"
          className="input"
          placeholder="Search the output"
          aria-label="Search the output"
          value={search.typed}
          onChange={(event) => search.type(event.target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && event.shiftKey) {
              event.preventDefault()
              search.move(-1)
            }
          }}
        />
        <span className="log-count muted tabular" role="status">
          {countOf(search)}
        </span>
        <button
          type="button"
          className="button button-small"
          aria-label="Previous match"
          onClick={() => search.move(-1)}
        >
          ↑
        </button>
        <button type="submit" className="button button-small" aria-label="Next match">
          ↓
        </button>
      </form>
      <span className="log-size muted tabular">
        {state.total.toLocaleString()} {state.total === 1 ? 'line' : 'lines'}
      </span>
      {!state.complete && (
        <button type="button" className="button button-small" aria-pressed={follows} onClick={() => onFollow(!follows)}>
          Follow
        </button>
      )}
      <CopyButton address={download} bytes={state.bytes} />
      <a className="button button-small" href={download} download>
        Download
      </a>
    </div>
  )
}

function countOf({ text, matches, at, isSearching, hasMore }: LogSearch): string {
  if (text === '') return ''
  const more = isSearching || hasMore ? '+' : ''
  if (matches.length === 0) return isSearching ? 'Searching…' : 'No match'
  return `${(at + 1).toLocaleString()} of ${matches.length.toLocaleString()}${more}`
}

function CopyButton({ address, bytes }: { readonly address: string; readonly bytes: number }) {
  const [said, setSaid] = useState('')
  const copy = async (): Promise<void> => {
    if (bytes > MOST_COPIED) return setSaid('Too long to copy: download it')
    try {
      const response = await fetch(address, { credentials: 'same-origin', headers: { 'X-SOP-Client': 'web' } })
      if (!response.ok) throw new Error(String(response.status))
      const text = visible((await response.text()).split('\n').map(lastWritten).join('\n'), MOST_COPIED)
      await toClipboard(text)
      setSaid('Copied')
    } catch {
      setSaid('Cannot copy: download it')
    }
  }
  return (
    <>
      <button type="button" className="button button-small" onClick={() => void copy()}>
        Copy
      </button>
      <span role="status" className="log-said muted">
        {said}
      </span>
    </>
  )
}

/** Browsers hand out the clipboard on https and on this machine only; elsewhere it is asked for in the old way. */
async function toClipboard(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  const isDone = document.execCommand('copy')
  area.remove()
  if (!isDone) throw new Error('the browser refused')
}
