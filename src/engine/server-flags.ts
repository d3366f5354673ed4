import { searchAttributePairs } from './search-attributes.ts'

export interface ServerPorts {
  readonly port: number
  /** Undefined: no Web UI. */
  readonly uiPort?: number
}

export interface ServerFlags extends ServerPorts {
  readonly namespace: string
  /** Undefined: everything is in memory and gone with the server. */
  readonly dbFile?: string
}

/**
 * Temporal as it comes reads its queues 20 times a second and has one shard, which costs 50 ms a task; raised, a step
 * takes a seventh of the time (temporal.md 1a). `engine.md` says why the others are set.
 */
export const DYNAMIC_CONFIG: Readonly<Record<string, number | boolean>> = {
  'history.transferProcessorMaxPollRPS': 2000,
  'history.timerProcessorMaxPollRPS': 2000,
  'history.visibilityProcessorMaxPollRPS': 500,
  'system.enableActivityEagerExecution': true,
  'matching.enableFairness': true,
  'history.maxInFlightUpdates': 200,
  // Otherwise whoever reaches the port runs any activity, a shell included, with no run and no gate.
  'activity.enableStandalone': false,
  'frontend.enableServerVersionCheck': false,
}

/** The arguments of `temporal` that start our server: on loopback, tuned, and durable through a power loss. */
export function serverArguments({ port, uiPort, namespace, dbFile }: ServerFlags): readonly string[] {
  const listen = ['--ip', '127.0.0.1', '--port', String(port)]
  const ui = uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-disable-news-fetch']
  const pragmas = ['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=FULL']
  return [
    ...[
      'server',
      'start-dev',
      '--disable-config-env',
      '--disable-config-file',
      '--log-format',
      'json',
      '--log-level',
      'warn',
    ],
    ...listen,
    ...ui,
    ...['--namespace', namespace],
    ...(dbFile === undefined ? [] : ['--db-filename', dbFile, ...pragmas]),
    ...Object.entries(DYNAMIC_CONFIG).flatMap(([key, value]) => ['--dynamic-config-value', `${key}=${value}`]),
    ...searchAttributePairs().flatMap((pair) => ['--search-attribute', pair]),
  ]
}
