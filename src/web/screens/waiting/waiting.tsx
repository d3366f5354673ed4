import { useCallback, useRef, useState } from 'react'
import { Link, useNavigate } from 'react-router'
import type { WaitingItem, WaitingList } from '../../../core/run/waiting.ts'
import { useWaiting } from '../../api/waiting.ts'
import { Empty } from '../../parts/empty.tsx'
import { ErrorBox } from '../../parts/error-box.tsx'
import { Screen } from '../../parts/screen.tsx'
import { KeyboardHelp } from '../../shell/keyboard-help.tsx'
import { useShortcuts } from '../../shell/shortcuts.ts'
import type { Asked } from './answer.tsx'
import { WaitingCard } from './card.tsx'
import { useCards } from './use-cards.ts'
import './waiting.css'

/** What waits for the viewer, and below it what waits for others. */
export function Component() {
  const waiting = useWaiting()
  const [helps, setHelps] = useState(false)
  useShortcuts({ '?': () => setHelps(true) })
  return (
    <Screen
      title="Waiting for me"
      aside={
        <button type="button" className="button button-plain small" onClick={() => setHelps(true)}>
          Keyboard <kbd>?</kbd>
        </button>
      }
    >
      {waiting.data === undefined ? (
        waiting.error !== null && (
          <ErrorBox title="Cannot show what waits" error={waiting.error} retry={() => void waiting.refetch()} />
        )
      ) : (
        <Waiting list={waiting.data} />
      )}
      {helps && <KeyboardHelp onClose={() => setHelps(false)} />}
    </Screen>
  )
}

function Waiting({ list }: { readonly list: WaitingList }) {
  const mine = useRef(new Set<string>())
  const isMine = useCallback((key: string) => mine.current.has(key), [])
  const { cards, isSorted, lose, sort } = useCards(list.items, isMine)
  const [asked, setAsked] = useState<{ readonly key: string; readonly what: Asked }>()
  const navigate = useNavigate()
  const place = useRef<HTMLDivElement>(null)
  const onAsked = useCallback(() => setAsked(undefined), [])
  const onMine = useCallback((key: string) => void mine.current.add(key), [])
  const onRefused = useCallback(
    (item: WaitingItem, reason: string) => {
      mine.current.delete(item.key)
      lose(item, reason)
    },
    [lose],
  )

  const all = (): readonly HTMLElement[] => [...(place.current?.querySelectorAll<HTMLElement>('.wait-card') ?? [])]
  const current = (): HTMLElement | null => document.activeElement?.closest<HTMLElement>('.wait-card') ?? null
  const move = (by: number): void => {
    const list = all()
    const here = current()
    const at = here === null ? (by > 0 ? -1 : list.length) : list.indexOf(here)
    const next = list[Math.min(Math.max(at + by, 0), list.length - 1)]
    next?.focus()
    next?.scrollIntoView({ block: 'nearest' })
  }
  const ask = (what: Asked): void => {
    const key = current()?.dataset['key']
    if (key === undefined) move(1)
    else setAsked({ key, what })
  }
  useShortcuts({
    j: () => move(1),
    k: () => move(-1),
    a: () => ask('approve'),
    r: () => ask('reject'),
    Enter: () => {
      const here = current()
      // A button or a link that has the focus means itself.
      if (here === null || here !== document.activeElement) {
        if (document.activeElement instanceof HTMLElement) document.activeElement.click()
        return
      }
      const item = list.items.find(({ key }) => key === here.dataset['key'])
      if (item !== undefined) void navigate(`/runs/${encodeURIComponent(item.runId)}`)
    },
  })

  if (cards.length === 0) return <Nothing />
  const forMe = cards.filter(({ item, gone }) => item.mine && gone === undefined).length
  return (
    <div ref={place}>
      <div className="waiting-bar">
        <p className="muted">{summary(forMe, list)}</p>
        <button
          type="button"
          className="button button-plain small"
          style={{ visibility: isSorted ? 'hidden' : 'visible' }}
          onClick={sort}
        >
          Sort by urgency
        </button>
      </div>
      <ul className="waiting">
        {cards.map(({ item, gone }) => (
          <WaitingCard
            key={item.key}
            item={item}
            {...(gone !== undefined && { gone })}
            asked={asked?.key === item.key ? asked.what : undefined}
            onAsked={onAsked}
            onMine={onMine}
            onRefused={onRefused}
          />
        ))}
      </ul>
      {list.total > list.items.length && (
        <p className="muted">
          The {list.items.length} most urgent of {list.total} are shown. <Link to="/runs">All runs</Link>
        </p>
      )}
    </div>
  )
}

const summary = (mine: number, { total }: WaitingList): string => {
  const others = total - mine
  const yours = mine === 0 ? 'Nothing waits for you' : mine === 1 ? '1 waits for you' : `${mine} wait for you`
  if (others <= 0) return `${yours}.`
  return `${yours}; ${others} ${others === 1 ? 'waits' : 'wait'} for others.`
}

function Nothing() {
  return (
    <Empty title="Nothing waits for anybody">
      <p>
        Approvals, steps that a person has to do, and runs that need a decision stand here, as they come.{' '}
        <Link to="/sops">Start a procedure</Link>, or look at <Link to="/runs">what runs now</Link>.
      </p>
    </Empty>
  )
}
