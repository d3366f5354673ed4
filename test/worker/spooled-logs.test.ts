import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { LogKey } from '../../src/activities/deps.ts'
import { SopError } from '../../src/core/errors.ts'
import type { LogTaker, SpooledSum } from '../../src/worker/log-delivery.ts'
import { createSpooledLogs, type SpooledLogs } from '../../src/worker/spooled-logs.ts'
import { until } from '../support/engine.ts'

const KEY: LogKey = { runId: 'r', executableId: 'step:1', attempt: 1 }
const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex')

/** An engine that keeps logs as ours does, and can be away. */
class Engine implements LogTaker {
  readonly logs = new Map<string, Buffer>()
  readonly ended: SpooledSum[] = []
  isAway = false
  /** Loses the answer of every call: what was asked has happened. */
  losesAnswers = false
  largest = 0
  calls = 0

  get text(): string {
    return (this.logs.get('r') ?? Buffer.alloc(0)).toString()
  }

  async putLog({ runId }: LogKey, offset: number, bytes: Uint8Array): Promise<{ readonly next: number }> {
    this.answer()
    const there = this.logs.get(runId) ?? Buffer.alloc(0)
    if (offset > there.length) throw new SopError('conflict', 'a gap', { expected: there.length })
    const fresh = bytes.subarray(Math.min(bytes.length, there.length - offset))
    this.logs.set(runId, Buffer.concat([there, fresh]))
    this.largest = Math.max(this.largest, bytes.length)
    this.lose()
    return { next: offset + bytes.length }
  }

  async endLog({ runId }: LogKey, sum: SpooledSum): Promise<void> {
    this.answer()
    const there = this.logs.get(runId) ?? Buffer.alloc(0)
    if (there.length < sum.bytes) throw new SopError('conflict', 'a gap', { expected: there.length })
    if (sha256(there) !== sum.sha256) throw new SopError('conflict', 'other bytes')
    this.ended.push(sum)
    this.lose()
  }

  private answer(): void {
    this.calls += 1
    if (this.isAway) throw new SopError('unavailable', 'away')
  }

  private lose(): void {
    if (this.losesAnswers && this.calls % 2 === 1) throw new SopError('unavailable', 'the connection broke')
  }
}

let dir: string
let engine: Engine
let warnings: string[]
const open = (patienceMs = 10_000): SpooledLogs =>
  createSpooledLogs({ dir, taker: engine, warn: (message) => warnings.push(message), patienceMs })
const left = (): readonly string[] => readdirSync(dir).sort()
const gone = () =>
  until(
    async () => left(),
    (names) => names.length === 0,
  )

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'sop-spool-'))
  engine = new Engine()
  warnings = []
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
})

describe('createSpooledLogs()', () => {
  test('brings a log while it is written, ends it by length and sum, and keeps nothing of it', async () => {
    const logs = open()
    const writer = await logs.open(KEY)
    await writer.write(Buffer.from('one\n'))
    await until(
      async () => engine.text,
      (text) => text === 'one\n',
    )
    await writer.write(Buffer.from('two\n'))
    await writer.cut(7)
    expect(await writer.close()).toEqual({ bytes: 8, sha256: sha256('one\ntwo\n') })
    expect(engine.ended).toEqual([{ bytes: 8, sha256: sha256('one\ntwo\n'), cutBytes: 7 }])
    await gone()
    await logs.close(0)
  })

  test('waits for an engine that is away, and its step does not', async () => {
    engine.isAway = true
    const logs = open(50)
    const writer = await logs.open(KEY)
    await writer.write(Buffer.from('kept'))
    await writer.close()
    expect(engine.text).toBe('')
    engine.isAway = false
    await gone()
    expect(engine.text).toBe('kept')
    await logs.close(0)
  })

  test('brings no byte twice where answers are lost', async () => {
    engine.losesAnswers = true
    const logs = open()
    const writer = await logs.open(KEY)
    for (let at = 0; at < 5; at += 1) await writer.write(Buffer.from(`${at}\n`))
    await writer.close()
    await gone()
    expect(engine.text).toBe('0\n1\n2\n3\n4\n')
    await logs.close(0)
  })

  test('the next process brings what one that was stopped has left, and goes on where the engine is', async () => {
    const first = open(0)
    const writer = await first.open(KEY)
    await writer.write(Buffer.from('half '))
    await until(
      async () => engine.text,
      (text) => text === 'half ',
    )
    engine.isAway = true
    await writer.write(Buffer.from('and half'))
    await writer.close()
    await first.close(0)
    expect(left()).toHaveLength(3)
    engine.isAway = false
    const second = open()
    await second.resume()
    await gone()
    expect(engine.text).toBe('half and half')
    expect(engine.ended).toHaveLength(1)
    await second.close(0)
  })

  test('a log that a killed process never closed is opened again and goes on, and its sum is of the whole', async () => {
    const first = open()
    await (await first.open(KEY)).write(Buffer.from('before '))
    await first.close(1_000)
    const second = open()
    await second.resume()
    const writer = await second.open(KEY)
    expect(writer.size).toBe(7)
    const { bytes, end } = await second.read(KEY, 3, 10)
    expect([Buffer.from(bytes).toString(), end]).toEqual(['ore ', 7])
    await writer.write(Buffer.from('after'))
    expect(await writer.close()).toMatchObject({ bytes: 12, sha256: sha256('before after') })
    expect(engine.text).toBe('before after')
    await second.close(0)
  })

  test('one that nobody opens again ends when its run is known to be over, not before', async () => {
    const first = open()
    const killed = await first.open(KEY)
    await killed.write(Buffer.from('cut short'))
    await killed.cut(3)
    await first.close(1_000)
    const second = open()
    await second.resume()
    await second.settle(async () => false)
    await until(
      async () => engine.text,
      (text) => text === 'cut short',
    )
    expect(engine.ended).toEqual([])
    await second.settle(async () => true)
    await gone()
    expect(engine.ended).toMatchObject([{ bytes: 9, cutBytes: 3 }])
    await second.close(0)
  })

  test('goes back where the engine has less than it once had', async () => {
    const logs = open()
    const writer = await logs.open(KEY)
    await writer.write(Buffer.from('0123456789'))
    await until(
      async () => engine.text,
      (text) => text.length === 10,
    )
    engine.logs.set('r', Buffer.from('0123'))
    await writer.close()
    await gone()
    expect(engine.text).toBe('0123456789')
    await logs.close(0)
  })

  test('gives up what the engine will never take, and says so', async () => {
    const logs = open()
    const writer = await logs.open(KEY)
    await writer.write(Buffer.from('mine'))
    await until(
      async () => engine.text,
      (text) => text === 'mine',
    )
    engine.logs.set('r', Buffer.from('fake'))
    await writer.close()
    await gone()
    expect(warnings).toHaveLength(1)
    expect(engine.ended).toEqual([])
    await logs.close(0)
  })

  test('a large log goes in stretches, so that memory does not grow with it', { timeout: 120_000 }, async () => {
    const logs = open(100_000)
    const writer = await logs.open(KEY)
    const part = Buffer.alloc(4 * 1024 * 1024, 'x')
    for (let at = 0; at < 8; at += 1) await writer.write(part)
    await writer.close()
    expect(engine.text).toHaveLength(32 * 1024 * 1024)
    expect(engine.largest).toBeLessThanOrEqual(512 * 1024)
    await logs.close(0)
  })
})
