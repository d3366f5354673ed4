// A process that appends until it is killed; each line of its stdout is an acknowledged `<run> <sequence>`.
import { createFileAudit } from '../../../src/adapters/file-audit.ts'
import type { RunEvent } from '../../../src/core/run/event.ts'

const [dataDir = ''] = process.argv.slice(2)
const audit = createFileAudit({ dataDir })

const eventOf = (runId: string, sequence: number): RunEvent => ({
  sequence,
  timestamp: new Date(Date.UTC(2026, 0, 1) + sequence * 1000).toISOString(),
  eventType: 'input_received',
  runId,
  principal: { id: 'alice', kind: 'user' },
  via: 'cli',
  details: { item: 1, ticked: true, text: 'x'.repeat((sequence * 97) % 5000) },
})

const write = async (runId: string): Promise<never> => {
  let sequence = await audit.append({ runId, sop: 'deploy' }, [])
  for (;;) {
    const batch = [1, 2, 3].map((i) => eventOf(runId, sequence + i))
    sequence = await audit.append({ runId, sop: 'deploy' }, batch)
    process.stdout.write(`${runId} ${sequence}\n`)
  }
}

await Promise.all(Array.from({ length: 8 }, (_, i) => write(`run-${i}`)))
