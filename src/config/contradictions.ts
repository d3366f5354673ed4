import type { Config } from '../config.ts'
import type { ConfigProblem } from './source.ts'

/** What no single setting can tell: values that do not go together. */
export const contradictions = (config: Config): readonly ConfigProblem[] => [
  ...samePorts(config),
  ...storeProblems(config),
  ...halfVersioned(config),
]

function storeProblems({ store, databaseUrl, databasePassword }: Config): readonly ConfigProblem[] {
  if (store === 'postgres' && databaseUrl === undefined) {
    const message = 'Cannot keep records in PostgreSQL: "store" is "postgres", and no "database_url" says where'
    const help = 'Set SOP_DATABASE_URL=postgresql://user@host:5432/database, or store = "file".'
    return [{ severity: 'error', origin: 'store', message, help }]
  }
  const set = databaseUrl === undefined ? 'database_password' : 'database_url'
  if (store === 'postgres' || (databaseUrl ?? databasePassword) === undefined) return []
  const message = `"${set}" sets nothing: "store" is "file"`
  return [{ severity: 'warning', origin: set, message, help: 'Take it away, or set store = "postgres".' }]
}

function halfVersioned({ workerVersioning: { deployment, buildId } }: Config): readonly ConfigProblem[] {
  if ((deployment === undefined) === (buildId === undefined)) return []
  const [set, missing] = deployment === undefined ? ['build_id', 'deployment'] : ['deployment', 'build_id']
  return [
    {
      severity: 'error',
      origin: `worker_versioning.${set}`,
      message: `Cannot version workers: "worker_versioning.${set}" is set, "worker_versioning.${missing}" is not`,
      help: 'Set both, or neither.',
    },
  ]
}

function samePorts({ api, temporal }: Config): readonly ConfigProblem[] {
  const ports = new Map([['api.port', api.port]])
  if (temporal.address === undefined) {
    ports.set('temporal.port', temporal.port)
    if (temporal.ui) ports.set('temporal.ui_port', temporal.uiPort)
  }
  const taken = new Map<number, string>()
  const problems: ConfigProblem[] = []
  for (const [key, port] of ports) {
    const other = taken.get(port)
    if (port === 0) continue
    if (other === undefined) taken.set(port, key)
    else
      problems.push({
        severity: 'error',
        origin: key,
        message: `Cannot use port ${port} for "${key}": "${other}" has it`,
        help: 'Give one of them another port, or 0 for any free one.',
      })
  }
  return problems
}
