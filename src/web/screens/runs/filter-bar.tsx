import { useEffect, useRef, useState } from 'react'
import { ChooseMany } from '../../parts/choose-many.tsx'
import { CHOICES, type Filters, SPANS, valuesOf } from './filters.ts'

interface FilterBarProps {
  readonly filters: Filters
  readonly sops: readonly string[]
  readonly onChange: (filters: Filters) => void
}

/** How long somebody has to stop typing before the list is asked for. */
const TYPING_MS = 250

/** What the list is narrowed to. */
export function FilterBar({ filters, sops, onChange }: FilterBarProps) {
  const set = (change: Filters): void => onChange({ ...filters, ...change })
  return (
    <div className="filter-bar" role="search" aria-label="Runs">
      <SearchField text={filters.q ?? ''} onChange={(q) => set({ q })} />
      <select
        aria-label="SOP"
        className={`input filter-select${filters.sop === undefined ? '' : ' choose-active'}`}
        value={filters.sop ?? ''}
        onChange={(event) => set({ sop: event.target.value })}
      >
        <option value="">Any SOP</option>
        {withValue(sops, filters.sop).map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      {(['state', 'priority', 'trigger'] as const).map((key) => (
        <ChooseMany
          key={key}
          name={NAMES[key]}
          choices={key === 'state' ? [...GROUPS, ...CHOICES.state] : CHOICES[key]}
          chosen={valuesOf(filters, key)}
          onChange={(chosen) => set({ [key]: chosen.join(',') })}
        />
      ))}
      {filters.waiting === 'true' && (
        <button type="button" className="button choose-button choose-active" onClick={() => set({ waiting: '' })}>
          Needs a person <span aria-hidden="true">✕</span>
          <span className="visually-hidden">: show others, too</span>
        </button>
      )}
      <TimeFilter filters={filters} onChange={set} />
    </div>
  )
}

const NAMES = { state: 'State', priority: 'Priority', trigger: 'Trigger' } as const
const GROUPS = [
  ['open', 'Any open state'],
  ['closed', 'Any closed state'],
] as const

const withValue = (sops: readonly string[], name: string | undefined): readonly string[] =>
  name === undefined || sops.includes(name) ? sops : [name, ...sops]

function SearchField({ text, onChange }: { readonly text: string; readonly onChange: (text: string) => void }) {
  const [typed, setTyped] = useState(text)
  const told = useRef(text)
  // The address changed by other means: a view, a favourite, the way back.
  useEffect(() => {
    if (text === told.current) return
    told.current = text
    setTyped(text)
  }, [text])
  useEffect(() => {
    const wanted = typed.trim()
    if (wanted === told.current) return
    const timer = setTimeout(() => {
      told.current = wanted
      onChange(wanted)
    }, TYPING_MS)
    return () => clearTimeout(timer)
  }, [typed, onChange])
  return (
    <input
      type="search"
      className="input filter-search"
      aria-label="Search runs"
      placeholder="Search id, SOP, person, reason…"
      maxLength={200}
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
    />
  )
}

function TimeFilter({
  filters,
  onChange,
}: {
  readonly filters: Filters
  readonly onChange: (filters: Filters) => void
}) {
  const span = filters.to === undefined ? SPANS.find(([value]) => value === filters.from)?.[0] : undefined
  const isAny = filters.from === undefined && filters.to === undefined
  const [wantsDates, setWantsDates] = useState(!isAny && span === undefined)
  const choice = wantsDates ? 'dates' : (span ?? '')
  return (
    <>
      <select
        aria-label="Created"
        className={`input filter-select${isAny ? '' : ' choose-active'}`}
        value={choice}
        onChange={(event) => {
          setWantsDates(event.target.value === 'dates')
          if (event.target.value !== 'dates') onChange({ from: event.target.value, to: '' })
        }}
      >
        <option value="">Any time</option>
        {SPANS.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
        <option value="dates">Between two times…</option>
      </select>
      {choice === 'dates' && (
        <span className="filter-dates">
          {(['from', 'to'] as const).map((key) => (
            <label key={key}>
              <span>{key === 'from' ? 'From' : 'To'}</span>
              <input
                type="datetime-local"
                className="input"
                value={localOf(filters[key])}
                onChange={(event) => onChange({ [key]: instantOf(event.target.value) })}
              />
            </label>
          ))}
        </span>
      )}
    </>
  )
}

/** An instant as a field of a form has it: in the viewer's zone, to the minute. */
const localOf = (instant: string | undefined): string => {
  const at = new Date(instant ?? '')
  if (Number.isNaN(at.getTime())) return ''
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
const instantOf = (local: string): string => (local === '' ? '' : new Date(local).toISOString())
