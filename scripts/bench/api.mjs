// api.mjs OPTIONS: an API in a process of its own, without a worker. OPTIONS is JSON: { address, taskQueue, dataDir, sopDir }.
// It says its URL on stdout, and ends when stdin ends.

import { startApi } from '../../dist/api/main.js'
import { localPrincipal, openLocalToken } from '../../dist/client/local-token.js'
import { openTokenStore } from '../../dist/client/tokens.js'
import { requireConfig } from '../../dist/config.js'
import { openParts } from '../../dist/engine/parts.js'
import { createLog } from '../../dist/log.js'

const { address, taskQueue, dataDir, sopDir } = JSON.parse(process.argv[2] ?? '{}')
const env = { ...process.env, SOP_DATA_DIR: dataDir, SOP_DIR: sopDir, SOP_API_PORT: '0' }
const { config } = requireConfig({ env, cwd: dataDir })
const log = createLog({ level: 'warn' })
const parts = await openParts({
  config: { ...config, temporal: { ...config.temporal, taskQueue } },
  env,
  log,
  temporal: { address, namespace: 'default', connectionOptions: { address }, embedded: false },
  version: 'bench',
  stores: 'write',
})
await openLocalToken(dataDir)
const api = await startApi({
  ...parts,
  config,
  clientFor: (actor) => parts.clients.as(actor),
  tokens: openTokenStore({ dataDir, rows: undefined, localPrincipal: localPrincipal() }),
  health: () => parts.clients.health(),
  log,
  version: 'bench',
})
process.stdout.write(`${api.url}\n`)
process.stdin.resume()
await new Promise((resolve) => process.stdin.once('end', resolve))
await api.stop()
await parts.close()
process.exit(0)
