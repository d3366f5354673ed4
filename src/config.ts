import type { ExecutionMode, NotificationToggle } from './core/definition.ts'

/** A fact that the installation knows how to find out (rulings 16). Exactly one source. */
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

/** The whole configuration, every default filled in. Paths are absolute. */
export interface Config {
  readonly dataDir: string
  readonly sopDir: string
  /** Where steps run (`cwd`) unless they say otherwise. */
  readonly workdir: string
  readonly api: { readonly host: string; readonly port: number; readonly publicUrl?: string }
  /** Where CLI and tools find the engine; absent: the local one of `dataDir`. */
  readonly url?: string
  readonly token?: string
  readonly temporal: {
    /** Set: an existing server is used and none is started. */
    readonly address?: string
    readonly namespace: string
    /** Port of the embedded server; 0 picks a free one. */
    readonly port: number
    readonly ui: boolean
    /** Port of the embedded UI; 0 picks a free one. */
    readonly uiPort: number
    readonly cliPath?: string
    readonly taskQueue: string
    readonly retentionDays: number
  }
  readonly defaultExecutionMode: ExecutionMode
  readonly priorityBasedStrict: boolean
  /** Default for gates that set none; absent: such gates wait for ever. */
  readonly approvalTimeoutMs?: number
  readonly defaultStepTimeoutMs: number
  readonly maxConcurrentRuns?: number
  readonly auditRetentionDays: number
  readonly notifications: Readonly<Record<NotificationToggle, boolean>> & { readonly enabled: boolean; readonly approvalChannel?: string }
  /** IANA zone; default the host's at engine start. */
  readonly timezone: string
  readonly maintenanceWindows: readonly MaintenanceWindow[]
  readonly onCall?: FactSource
  readonly facts: Readonly<Record<string, FactSource>>
  /** Environment names that conditions may read as `env.NAME`. */
  readonly envInConditions: readonly string[]
  readonly envPassthrough: readonly string[]
  /** Secret name → file that holds it; without an entry the worker's environment is asked. */
  readonly secretFiles: Readonly<Record<string, string>>
  readonly allowImpliedGate: boolean
  readonly agentsMayApprove: boolean
  readonly agentsMayCreate: boolean
  readonly maxStepVisits: number
  readonly killGraceMs: number
  readonly shutdownGraceMs: number
  readonly maxCachedWorkflows: number
  /** Flat files of seed 004, where their folders are set. */
  readonly stateDir?: string
  readonly auditDir?: string
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}
