import type { Json } from '../definition.ts'

export const PRINCIPAL_KINDS = ['user', 'agent', 'service', 'timer'] as const
export type PrincipalKind = (typeof PRINCIPAL_KINDS)[number]

/** Roles add up in this order: each may do all that the ones before it may (rulings 29). */
export const ROLES = ['viewer', 'approver', 'operator', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** What a token may be for: a role, or to be a worker of pools, which may nothing else. */
export const TOKEN_ROLES = [...ROLES, 'worker'] as const
export type TokenRole = (typeof TOKEN_ROLES)[number]

/** Who or what acted. It comes from the transport's credentials, never from a request body. */
export interface Principal {
  readonly id: string
  readonly kind: PrincipalKind
  readonly groups?: readonly string[]
  readonly role?: TokenRole
  /** `false` where nothing vouches for the id (a bare signal from Temporal). Absent means verified. */
  readonly verified?: false
}

/** The surfaces by which something reaches a run. */
export const SURFACES = [
  'cli',
  'http',
  'js',
  'mcp',
  'web',
  'signal',
  'update',
  'temporal',
  'schedule',
  'trigger',
  'timer',
  'engine',
  'skip_approval',
] as const
export type Surface = (typeof SURFACES)[number]

export const TIMER: Principal = { id: 'timer', kind: 'timer' }
export const ENGINE: Principal = { id: 'engine', kind: 'service' }
/** Id of who pauses what comes up from a backup. */
export const RESTORE = 'restore'

/** Why a run began, and what the trigger brought along. */
export interface TriggerInfo {
  readonly type: string
  readonly path?: string
  readonly event?: string
  readonly scheduledAt?: string
  readonly headers?: Readonly<Record<string, string>>
  /** The whole payload, where it is more than the params. */
  readonly payload?: Json
}
