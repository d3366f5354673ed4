/** Where a fact comes from that the installation knows how to find out (rulings 16): exactly one of the three. */
export interface FactSource {
  readonly command?: string
  readonly url?: string
  readonly env?: string
}

/** A maintenance window: opens when the cron fires, stays open for the duration. */
export interface MaintenanceWindow {
  readonly cron: string
  readonly durationMs: number
  readonly timezone?: string
}
