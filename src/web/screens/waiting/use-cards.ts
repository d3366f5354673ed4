// use-cards.ts: which cards stand there, and in which order. A list that sorts itself under one's hand makes people press the
// wrong button: cards keep their places, new ones come last, and what was answered elsewhere says so before it goes.

import { useCallback, useEffect, useMemo, useState } from 'react'
import type { WaitingItem } from '../../../core/run/waiting.ts'
import { outcomeOf } from './outcome.ts'

export interface Card {
  readonly item: WaitingItem
  /** It does not wait any more: how that came. */
  readonly gone?: string
}

interface Gone {
  readonly item: WaitingItem
  readonly how: string
}

/** How long a card stays that was answered elsewhere. */
const GONE_MS = 8_000

/** `lose`: an answer from here was refused; where the card is gone by then, it stands there again and says why. */
export function useCards(items: readonly WaitingItem[], isMine: (key: string) => boolean) {
  const [order, setOrder] = useState<readonly string[]>(() => items.map(({ key }) => key))
  const [last, setLast] = useState(items)
  const [gone, setGone] = useState<ReadonlyMap<string, Gone>>(new Map())
  if (last !== items) {
    // Derived while rendering, so that no card is ever missing for a frame.
    const keys = new Set(items.map(({ key }) => key))
    const left = last.filter(({ key }) => !keys.has(key) && !isMine(key))
    setLast(items)
    setOrder((before) => [...before, ...items.map(({ key }) => key).filter((key) => !before.includes(key))])
    if (left.length > 0)
      setGone((before) => new Map([...before, ...left.map((item) => [item.key, { item, how: '' }] as const)]))
  }
  useEffect(() => {
    for (const [key, { item, how }] of gone) if (how === '') void tell(key, item, setGone)
  }, [gone])
  const cards = useMemo(() => {
    const byKey = new Map(items.map((item) => [item.key, item]))
    return order.flatMap((key): Card[] => {
      const item = byKey.get(key)
      if (item !== undefined) return [{ item }]
      const left = gone.get(key)
      return left === undefined ? [] : [{ item: left.item, gone: left.how === '' ? 'It was answered.' : left.how }]
    })
  }, [items, order, gone])
  const shown = cards.filter(({ gone: how }) => how === undefined).map(({ item }) => item.key)
  const isSorted = items.every(({ key }, index) => shown[index] === key)
  const lose = useCallback((item: WaitingItem, how: string) => {
    setGone((before) => new Map([...before, [item.key, { item, how }]]))
    forgetLater(item.key, setGone)
  }, [])
  return { cards, isSorted, lose, sort: () => setOrder(items.map(({ key }) => key)) }
}

type SetGone = (change: (before: ReadonlyMap<string, Gone>) => ReadonlyMap<string, Gone>) => void

async function tell(key: string, item: WaitingItem, setGone: SetGone): Promise<void> {
  const how = (await outcomeOf(item).catch(() => undefined)) ?? 'It does not wait any more.'
  setGone((before) => (before.has(key) ? new Map([...before, [key, { item, how }]]) : before))
  forgetLater(key, setGone)
}

const forgetLater = (key: string, setGone: SetGone): void =>
  void setTimeout(() => setGone((before) => new Map([...before].filter(([other]) => other !== key))), GONE_MS)
