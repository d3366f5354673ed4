import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow'
import type { Timer } from '../core/run/effect.ts'

/** The timers of a run that are armed. One that was disarmed, or armed anew, does not fire. */
export class Timers {
  private readonly armed = new Map<string, CancellationScope>()
  private readonly host: CancellationScope
  private readonly fired: (timerId: string) => void

  constructor(host: CancellationScope, fired: (timerId: string) => void) {
    this.host = host
    this.fired = fired
  }

  arm(timer: Timer): void {
    const scope = new CancellationScope({ cancellable: true, parent: this.host })
    this.armed.set(timer.id, scope)
    void this.wait(scope, timer)
  }

  disarm(timerId: string): void {
    this.armed.get(timerId)?.cancel()
    this.armed.delete(timerId)
  }

  disarmAll(): void {
    for (const scope of this.armed.values()) scope.cancel()
    this.armed.clear()
  }

  private async wait(scope: CancellationScope, { id, at, summary }: Timer): Promise<void> {
    try {
      await scope.run(() => sleep(Math.max(1, Date.parse(at) - Date.now()), { summary: summary.slice(0, 200) }))
    } catch (error) {
      if (isCancellation(error)) return
      throw error
    }
    if (this.armed.get(id) !== scope) return
    this.armed.delete(id)
    this.fired(id)
  }
}
