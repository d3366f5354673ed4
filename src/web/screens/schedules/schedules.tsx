import { useSearchParams } from 'react-router'
import { LinkTabs } from '../../parts/link-tabs.tsx'
import { Screen } from '../../parts/screen.tsx'
import { Deliveries } from './deliveries.tsx'
import { ScheduleList } from './schedule-list.tsx'
import '../../parts/lists.css'
import './schedules.css'
import { TriggerList } from './trigger-list.tsx'
import { TriggerTest } from './trigger-test.tsx'

const TABS = [
  ['schedules', 'Schedules'],
  ['triggers', 'Triggers'],
  ['deliveries', 'Deliveries'],
  ['test', 'Test a trigger'],
] as const
type Tab = (typeof TABS)[number][0]

const addressOf = (tab: Tab): string => (tab === 'schedules' ? '/schedules' : `/schedules?tab=${tab}`)

/** What begins runs by itself: when, what came for it, and what became of that. */
export function Component() {
  const [search] = useSearchParams()
  const tab = TABS.find(([key]) => key === search.get('tab'))?.[0] ?? 'schedules'
  return (
    <Screen title="Schedules and triggers">
      <LinkTabs
        label="Schedules and triggers"
        current={addressOf(tab)}
        tabs={TABS.map(([key, name]) => ({ name, to: addressOf(key) }))}
      />
      <TabPart tab={tab} />
    </Screen>
  )
}

function TabPart({ tab }: { readonly tab: Tab }) {
  switch (tab) {
    case 'schedules':
      return <ScheduleList />
    case 'triggers':
      return <TriggerList />
    case 'deliveries':
      return <Deliveries />
    case 'test':
      return <TriggerTest />
    default:
      return tab satisfies never
  }
}
