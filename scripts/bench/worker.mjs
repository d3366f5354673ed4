// worker.mjs OPTIONS: one worker in a process of its own, so that its memory can be read. OPTIONS is JSON:
// { address, namespace, taskQueue, dataDir, sopDir, bundlePath }. It says "ready" on stdout, answers each line on stdin
// with its resident memory in bytes, and ends when stdin ends.

import { createInterface } from 'node:readline'
import { requireConfig } from '../../dist/config.js'
import { openParts, startPartsWorker } from '../../dist/engine/parts.js'
import { createLog } from '../../dist/log.js'

const { address, namespace, taskQueue, dataDir, sopDir, bundlePath } = JSON.parse(process.argv[2] ?? '{}')
const env = { ...process.env, SOP_DATA_DIR: dataDir, SOP_DIR: sopDir }
const { config } = requireConfig({ env, cwd: dataDir })
const options = {
  config: { ...config, temporal: { ...config.temporal, taskQueue } },
  env,
  log: createLog({ level: 'warn' }),
  temporal: { address, namespace, connectionOptions: { address }, embedded: false },
  version: 'bench',
  stores: /** @type {const} */ ('write'),
  ...(bundlePath && { bundlePath }),
}
const parts = await openParts(options)
const worker = await startPartsWorker(parts, options)
process.stdout.write('ready\n')
for await (const _ of createInterface({ input: process.stdin })) process.stdout.write(`${process.memoryUsage().rss}\n`)
await worker.stop()
await parts.close()
process.exit(0)
