import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFacts, type FactsConfig } from '../../src/adapters/facts.ts'
import { nextAt } from '../../src/core/local-time.ts'

const base: FactsConfig = { timezone: 'UTC', maintenanceWindows: [], facts: {}, envInConditions: [] }
const environment = { PATH: process.env['PATH'], REGION: 'eu-1', EMPTY: '', COUNT: '12', SOP_TOKEN: 'hidden' }
const at = (iso: string, config: Partial<FactsConfig> = {}, timeoutMs?: number) =>
  createFacts({ ...base, ...config }, () => new Date(iso), {
    environment,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  })

describe('business_hours', () => {
  test.each<[string, string, boolean]>([
    ['2025-06-02T08:59:59.999Z', 'UTC', false],
    ['2025-06-02T09:00:00.000Z', 'UTC', true],
    ['2025-06-02T17:59:59.999Z', 'UTC', true],
    ['2025-06-02T18:00:00.000Z', 'UTC', false],
    ['2025-06-01T12:00:00Z', 'UTC', true],
    ['2025-05-31T12:00:00Z', 'UTC', true],
    ['2025-06-02T00:00:00Z', 'UTC', false],
    // Berlin: the clocks went forward on 2025-03-30, back on 2025-10-26.
    ['2025-03-29T08:00:00Z', 'Europe/Berlin', true],
    ['2025-03-29T07:59:00Z', 'Europe/Berlin', false],
    ['2025-03-30T07:00:00Z', 'Europe/Berlin', true],
    ['2025-03-30T06:59:00Z', 'Europe/Berlin', false],
    ['2025-03-30T15:59:00Z', 'Europe/Berlin', true],
    ['2025-03-30T16:00:00Z', 'Europe/Berlin', false],
    ['2025-10-26T07:59:00Z', 'Europe/Berlin', false],
    ['2025-10-26T08:00:00Z', 'Europe/Berlin', true],
    // New York: forward on 2025-03-09, back on 2025-11-02.
    ['2025-03-08T13:59:00Z', 'America/New_York', false],
    ['2025-03-08T14:00:00Z', 'America/New_York', true],
    ['2025-03-09T13:00:00Z', 'America/New_York', true],
    ['2025-11-02T13:59:00Z', 'America/New_York', false],
    ['2025-11-02T14:00:00Z', 'America/New_York', true],
    // Lord Howe shifts by half an hour: forward on 2025-10-05, back on 2025-04-06.
    ['2025-10-04T22:29:00Z', 'Australia/Lord_Howe', true],
    ['2025-10-04T21:59:00Z', 'Australia/Lord_Howe', false],
    ['2025-10-04T22:00:00Z', 'Australia/Lord_Howe', true],
    ['2025-10-03T22:29:00Z', 'Australia/Lord_Howe', false],
    ['2025-10-03T22:30:00Z', 'Australia/Lord_Howe', true],
    ['2025-06-02T03:30:00Z', 'Asia/Kolkata', true],
    ['2025-06-02T03:29:00Z', 'Asia/Kolkata', false],
  ])('at %s in %s: %s', async (iso, zone, expected) => expect(await at(iso)('business_hours', zone)).toBe(expected))

  test("the config's zone holds for an SOP without one", async () => {
    const facts = at('2025-06-02T03:30:00Z', { timezone: 'Asia/Kolkata' })
    expect(await facts('business_hours', undefined)).toBe(true)
    expect(await facts('business_hours', 'UTC')).toBe(false)
  })
  test('an unknown zone is said', async () =>
    expect(at('2025-06-02T03:30:00Z')('business_hours', 'Mars/Olympus')).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('Mars/Olympus'),
    }))
})

test.each<[string, string, boolean]>([
  ['2025-06-06T12:00:00Z', 'UTC', true],
  ['2025-06-07T12:00:00Z', 'UTC', false],
  ['2025-06-08T12:00:00Z', 'UTC', false],
  ['2025-06-09T00:00:00Z', 'UTC', true],
  ['2025-06-06T23:59:59Z', 'UTC', true],
  ['2025-06-06T22:30:00Z', 'Europe/Berlin', false],
  ['2025-06-08T22:30:00Z', 'Europe/Berlin', true],
  ['2025-06-09T02:00:00Z', 'America/New_York', false],
])('weekday at %s in %s: %s', async (iso, zone, expected) => expect(await at(iso)('weekday', zone)).toBe(expected))

describe('maintenance_window', () => {
  const night = { cron: '0 2 * * 6', durationMs: 4 * 3_600_000 }
  test.each<[string, boolean]>([
    ['2025-06-07T01:59:59.999Z', false],
    ['2025-06-07T02:00:00.000Z', true],
    ['2025-06-07T02:00:00.001Z', true],
    ['2025-06-07T05:59:59.999Z', true],
    ['2025-06-07T06:00:00.000Z', false],
    ['2025-06-06T03:00:00Z', false],
  ])('Saturdays from 02:00 for 4 h, at %s: %s', async (iso, open) =>
    expect(await at(iso, { maintenanceWindows: [night] })('maintenance_window', undefined)).toBe(open),
  )

  test('one of several windows is enough, and none is never open', async () => {
    const windows = [{ cron: '0 0 1 1 *', durationMs: 60_000 }, night]
    expect(await at('2025-06-07T03:00:00Z', { maintenanceWindows: windows })('maintenance_window', undefined)).toBe(
      true,
    )
    expect(await at('2025-06-07T03:00:00Z')('maintenance_window', undefined)).toBe(false)
  })
  test('a window has its own zone, else the one of the config', async () => {
    const zoned = [{ ...night, timezone: 'America/New_York' }]
    expect(await at('2025-06-07T06:00:00Z', { maintenanceWindows: zoned })('maintenance_window', 'UTC')).toBe(true)
    expect(await at('2025-06-07T03:00:00Z', { maintenanceWindows: zoned })('maintenance_window', 'UTC')).toBe(false)
    expect(
      await at('2025-06-07T00:00:00Z', { maintenanceWindows: [night], timezone: 'Europe/Berlin' })(
        'maintenance_window',
        undefined,
      ),
    ).toBe(true)
  })
  test.each<[string, string, string, boolean]>([
    // 02:30 does not exist on that day; the window opens with the next minute that does, 03:00 = 01:00Z.
    ['2025-03-30T01:10:00Z', 'Europe/Berlin', '30 2 * * *', true],
    ['2025-03-30T00:50:00Z', 'Europe/Berlin', '30 2 * * *', false],
    ['2025-03-09T07:10:00Z', 'America/New_York', '30 2 * * *', true],
    ['2025-10-26T00:40:00Z', 'Europe/Berlin', '30 2 * * *', true],
    ['2025-10-04T15:40:00Z', 'Australia/Lord_Howe', '15 2 * * *', true],
  ])('at %s in %s, %s for 55 min: %s', async (iso, timezone, cron, open) =>
    expect(
      await at(iso, { maintenanceWindows: [{ cron, timezone, durationMs: 55 * 60_000 }] })(
        'maintenance_window',
        undefined,
      ),
    ).toBe(open),
  )
  test('a cron that cannot be read is said', async () =>
    expect(
      at('2025-06-07T03:00:00Z', { maintenanceWindows: [{ cron: '99 2 * * *', durationMs: 1 }] })(
        'maintenance_window',
        undefined,
      ),
    ).rejects.toThrow(/Cannot find out "maintenance_window"/))
})

describe('until:HH:MM', () => {
  test.each<[string, string, string, string]>([
    ['2025-06-02T08:00:00Z', 'UTC', '09:00', '2025-06-02T09:00:00.000Z'],
    ['2025-06-02T09:00:00Z', 'UTC', '09:00', '2025-06-02T09:00:00.000Z'],
    ['2025-06-02T09:00:00.001Z', 'UTC', '09:00', '2025-06-03T09:00:00.000Z'],
    ['2025-06-02T23:59:00Z', 'UTC', '0:00', '2025-06-03T00:00:00.000Z'],
    ['2025-12-31T23:30:00Z', 'UTC', '23:00', '2026-01-01T23:00:00.000Z'],
    ['2025-06-02T08:00:00Z', 'Europe/Berlin', '09:00', '2025-06-03T07:00:00.000Z'],
    ['2025-06-02T22:30:00Z', 'Europe/Berlin', '01:00', '2025-06-02T23:00:00.000Z'],
    // Forward: 02:30 does not exist, so 03:00.
    ['2025-03-30T00:00:00Z', 'Europe/Berlin', '02:30', '2025-03-30T01:00:00.000Z'],
    ['2025-03-29T12:00:00Z', 'Europe/Berlin', '02:00', '2025-03-30T01:00:00.000Z'],
    ['2025-03-29T12:00:00Z', 'Europe/Berlin', '03:00', '2025-03-30T01:00:00.000Z'],
    ['2025-03-29T12:00:00Z', 'Europe/Berlin', '09:00', '2025-03-30T07:00:00.000Z'],
    ['2025-03-09T05:00:00Z', 'America/New_York', '02:30', '2025-03-09T07:00:00.000Z'],
    ['2025-10-04T12:00:00Z', 'Australia/Lord_Howe', '02:15', '2025-10-04T15:30:00.000Z'],
    // Back: 02:30 comes twice, the first counts.
    ['2025-10-25T23:00:00Z', 'Europe/Berlin', '02:30', '2025-10-26T00:30:00.000Z'],
    ['2025-10-26T00:45:00Z', 'Europe/Berlin', '02:30', '2025-10-27T01:30:00.000Z'],
    ['2025-11-02T04:00:00Z', 'America/New_York', '01:30', '2025-11-02T05:30:00.000Z'],
    ['2025-04-05T12:00:00Z', 'Australia/Lord_Howe', '01:45', '2025-04-05T14:45:00.000Z'],
    // Apia left out the whole of 2011-12-30: the next minute that exists is midnight of the 31st.
    ['2011-12-30T09:00:00Z', 'Pacific/Apia', '12:00', '2011-12-30T10:00:00.000Z'],
    ['2025-06-02T03:29:00Z', 'Asia/Kolkata', '09:00', '2025-06-02T03:30:00.000Z'],
  ])('from %s in %s, %s is %s', async (iso, zone, time, expected) =>
    expect(await at(iso)(`until:${time}`, zone)).toBe(expected),
  )

  test.each(['until:24:00', 'until:9', 'until:09:60', 'until:', 'until:-1:00', 'until:09:00:00', 'until:noon'])(
    '%s is no time of day',
    async (name) =>
      expect(at('2025-06-02T00:00:00Z')(name, 'UTC')).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('HH:MM'),
      }),
  )

  test('never goes back, and at most to the day after the next', () => {
    for (const zone of [
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Africa/Casablanca',
      'America/St_Johns',
    ])
      for (let hour = 0; hour < 24 * 366; hour += 7) {
        const now = new Date(Date.UTC(2025, 0, 1, hour, 13))
        const next = nextAt(now, hour % 24, (hour * 7) % 60, zone).getTime()
        expect(next).toBeGreaterThanOrEqual(now.getTime())
        expect(next - now.getTime()).toBeLessThanOrEqual(25 * 3_600_000)
      }
  })
})

describe('asked of commands, URLs and the environment', () => {
  let server: Server
  let url = ''
  beforeAll(async () => {
    server = createServer((request, response) => {
      const [, status = '', ...body] = (request.url ?? '').split('/')
      if (status === 'never') return
      response.writeHead(Number(status)).end(decodeURIComponent(body.join('/')))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  const now = '2025-06-02T12:00:00Z'
  const onCall = (source: FactsConfig['onCall'] & object, timeoutMs?: number) =>
    at(now, { onCall: source }, timeoutMs)('on_call_available', undefined)
  const fact = (source: FactsConfig['facts'][string], timeoutMs?: number) =>
    at(now, { facts: { it: source } }, timeoutMs)('it', undefined)

  test.each<[string, unknown]>([
    ['echo hello', 'hello'],
    ['printf "  hello \\n\\n"', 'hello'],
    ['echo 12', 12],
    ['echo 1.5', 1.5],
    ['echo 1.10', '1.10'],
    ['echo 007', '007'],
    ['echo true', true],
    ['echo false', false],
    ['echo null', null],
    [`echo '{"a": [1, "b"]}'`, { a: [1, 'b'] }],
    ['echo "{broken"', '{broken'],
    ['true', ''],
    ['echo out; echo err >&2', 'out'],
    ['echo "$REGION"', 'eu-1'],
    ['echo "[${SOP_TOKEN:-none}]"', '[none]'],
    ['printf "ünï 🚀"', 'ünï 🚀'],
    ['sleep 60 & echo started', 'started'],
  ])('a command: %s', async (command, expected) => expect(await fact({ command })).toEqual(expected))

  test.each<[string, RegExp]>([
    ['exit 3', /Cannot find out "it": its command exited with 3$/],
    ['echo "no such disk" >&2; exit 1', /exited with 1: no such disk/],
    ['no-such-program-here', /exited with 127: .*not found/],
    ['false | cat', /exited with 1/],
    ['kill -9 $$', /ended by SIGKILL/],
    ['head -c 100000 /dev/zero | tr "\\0" a', /more than 65536 bytes/],
  ])('a command that fails: %s', async (command, reason) => expect(fact({ command })).rejects.toThrow(reason))

  test('a command that does not end is ended with all that it started', async () => {
    const started = Date.now()
    await expect(fact({ command: 'sleep 60 & sleep 60' }, 200)).rejects.toThrow(/did not end within 0.2 s/)
    expect(Date.now() - started).toBeLessThan(10_000)
  })
  test('a URL', async () => {
    expect(await fact({ url: `${url}/200/ok` })).toBe('ok')
    expect(await fact({ url: `${url}/200/${encodeURIComponent('{"left": 3}')}` })).toEqual({ left: 3 })
    await expect(fact({ url: `${url}/500/oops` })).rejects.toThrow(/its URL answers 500/)
    await expect(fact({ url: `${url}/never` }, 200)).rejects.toThrow(/did not answer within 0.2 s/)
    await expect(fact({ url: 'http://127.0.0.1:1/' })).rejects.toThrow(/cannot be reached: /)
    await expect(fact({ url: `${url}/200/${'a'.repeat(70_000)}` })).rejects.toThrow()
  })
  test('an environment variable', async () => {
    expect(await fact({ env: 'REGION' })).toBe('eu-1')
    expect(await fact({ env: 'COUNT' })).toBe(12)
    await expect(fact({ env: 'NOPE' })).rejects.toThrow(/environment variable NOPE is not set/)
  })

  /** Short where no answer is what is waited for; whoever answers has the time that it takes. */
  const patience = (expected: boolean | RegExp): number | undefined => {
    const waitsInVain = expected instanceof RegExp && expected.source.startsWith('did not')
    return waitsInVain ? 500 : undefined
  }
  test.each<[string, boolean | RegExp]>([
    ['/200/', true],
    ['/200/yes', true],
    ['/204/', true],
    ['/200/true', true],
    ['/200/false', false],
    ['/404/', false],
    ['/410/', false],
    ['/401/', /answers 401/],
    ['/503/', /answers 503/],
    ['/never/', /did not answer/],
  ])('on_call_available by URL, answer %s: %s', async (path, expected) => {
    const answer = onCall({ url: `${url}${path}` }, patience(expected))
    if (expected instanceof RegExp) await expect(answer).rejects.toThrow(expected)
    else expect(await answer).toBe(expected)
  })
  test.each<[string, boolean | RegExp]>([
    ['true', true],
    ['echo false', false],
    ['echo alice', true],
    ['false', false],
    ['exit 2', false],
    ['no-such-program-here', /exited with 127/],
    ['sleep 60', /did not end/],
  ])('on_call_available by command %s: %s', async (command, expected) => {
    const answer = onCall({ command }, patience(expected))
    if (expected instanceof RegExp) await expect(answer).rejects.toThrow(expected)
    else expect(await answer).toBe(expected)
  })
  test('on_call_available by environment', async () => {
    expect(await onCall({ env: 'REGION' })).toBe(true)
    expect(await onCall({ env: 'EMPTY' })).toBe(false)
  })
  test('on_call_available without a config says what to configure', async () =>
    expect(at(now)('on_call_available', undefined)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('[on_call]'),
    }))
})

describe('env.NAME and unknown names', () => {
  const facts = at('2025-06-02T12:00:00Z', {
    envInConditions: ['REGION', 'UNSET', 'EMPTY'],
    facts: { disk_free: { env: 'REGION' } },
  })
  test('only what the config allows is read', async () => {
    expect(await facts('env.REGION', undefined)).toBe('eu-1')
    expect(await facts('env.EMPTY', undefined)).toBe('')
    expect(await facts('env.UNSET', undefined)).toBe(null)
    for (const name of ['env.SOP_TOKEN', 'env.PATH', 'env.', 'env.__proto__', 'env.constructor'])
      await expect(facts(name, undefined)).rejects.toMatchObject({
        code: 'invalid',
        message: expect.stringContaining('does not allow it'),
      })
  })
  test.each(['nope', '', '__proto__', 'toString', 'BUSINESS_HOURS'])('%j is no fact', async (name) =>
    expect(facts(name, undefined)).rejects.toMatchObject({ code: 'not_found' }),
  )
  test('a near miss is helped', async () =>
    expect(facts('disk_fre', undefined)).rejects.toThrow(/Did you mean "disk_free"/))
})
