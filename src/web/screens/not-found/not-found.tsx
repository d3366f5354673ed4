import { Link } from 'react-router'
import { Empty } from '../../parts/empty.tsx'
import { Screen } from '../../parts/screen.tsx'

export function Component() {
  return (
    <Screen title="Not found">
      <Empty title="There is no page at this address">
        <p>
          The address may be mistyped. <Link to="/">What waits for you</Link> or <Link to="/runs">all runs</Link> may be
          what you look for.
        </p>
      </Empty>
    </Screen>
  )
}
