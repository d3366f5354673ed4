import { Screen } from '../../parts/screen.tsx'

export function Component() {
  return (
    <main id="main">
      <Screen title="Sign in">
        <p>
          In a terminal, <code>sop open</code> makes a link that signs you in.
        </p>
      </Screen>
    </main>
  )
}
