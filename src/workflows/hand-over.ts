import { type CancellationScope, sleep, workflowInfo } from '@temporalio/workflow'

// hand-over.ts — when an execution hands its run over to a next one (continue-as-new), since Temporal limits a history. The
// next one can only take over while no command runs. On one path there is always such a moment; with branches a long
// command may keep the others waiting, so their waiting has a limit until the history is really long.

/** Events of one execution's history after which it hands over to the next (engine.md 2). */
const LONG_HISTORY = 4_000

/** Events past which a wide run waits for its commands to end, however long that takes; Temporal ends it at 51,200. */
const VERY_LONG_HISTORY = 24_000

/** How long the branches of a wide run wait for the longest one, before they go on for as many events again. */
const DRAIN_MS = 60_000

export class HandOver {
  /** No new work begins in this execution. */
  isOn = false
  /** Events that were there when it was last given up. */
  private since = 0
  private isDraining = false
  private readonly host: CancellationScope

  constructor(host: CancellationScope) {
    this.host = host
  }

  /** Looks at the history, and whether a new build is to take over; asked again and again, it changes nothing else. */
  check(isWide: boolean, hasNewBuild: boolean, longHistory = LONG_HISTORY): boolean {
    const { historyLength, continueAsNewSuggested } = workflowInfo()
    const isLong = historyLength > this.since + longHistory || (continueAsNewSuggested && !isWide)
    if (!this.isOn && (isLong || hasNewBuild)) this.isOn = true
    return this.isOn
  }

  /** Work was held back for it. In a wide run it is begun after all when the others take too long to end. */
  async held(isWide: boolean, goOn: () => void): Promise<void> {
    if (!isWide || this.isDraining || workflowInfo().historyLength > VERY_LONG_HISTORY) return
    this.isDraining = true
    await this.host.run(() => sleep(DRAIN_MS, { summary: 'Until work goes on that waits for the next execution' }))
    this.isDraining = false
    this.since = workflowInfo().historyLength
    this.isOn = false
    goOn()
  }
}
