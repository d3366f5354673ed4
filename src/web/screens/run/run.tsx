import { Empty } from '../../parts/empty.tsx'
import { Screen } from '../../parts/screen.tsx'

export function Component() {
  return (
    <Screen title="Run">
      <Empty title="Nothing here yet" />
    </Screen>
  )
}
