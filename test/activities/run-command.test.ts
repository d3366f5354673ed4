import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { RunEvent } from '../../src/core/run/event.ts'
import { OUTPUT_TAIL_BYTES } from '../../src/core/run/task.ts'
import { bash, commandRig, event, inLanguage, writeScript } from './support/command-rig.ts'

/** Prints the environment in a form in which no value can be mistaken. */
const ENV = bash(`node -e 'for (const [k,v] of Object.entries(process.env)) console.log(JSON.stringify([k,v]))'`)
const environmentOf = (output: string): Record<string, string> =>
  Object.fromEntries(
    output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as [string, string]),
  )

/** The run has the result of the step. */
const completed = (stepNumber: number): RunEvent => ({
  ...event(1),
  eventType: 'step_completed',
  stepNumber,
  details: { title: 'Build', attempt: 1, duration: '1s', duration_ms: 1000 },
})

describe('runCommand() guards', () => {
  test('refuses what this installation did not sign, and runs nothing', async () => {
    const rig = commandRig()
    await expect(rig.run(bash('touch ran'), { warrant: 'forged', events: [event(1)] })).rejects.toMatchObject({
      type: 'NotSigned',
      nonRetryable: true,
    })
    expect(readdirSync(rig.workdir)).toEqual([])
    expect(await rig.deps.audit.read('sop_run_1')).toEqual([])
  })

  test('never runs on a second attempt of the activity', async () => {
    const rig = commandRig({}, 2)
    await expect(rig.run(bash('touch ran'))).rejects.toMatchObject({ type: 'NotRepeated', nonRetryable: true })
    expect(readdirSync(rig.workdir)).toEqual([])
  })

  test('records the events that came along before the command starts', async () => {
    const rig = commandRig()
    const record = join(rig.dir, 'audit', 'deploy', 'sop_run_1.jsonl')
    const result = await rig.run(bash(`grep -c . '${record}'`), { events: [event(1), event(2)] })
    expect(result).toMatchObject({ outcome: 'ok', output: '2\n', ackedSeq: 2 })
  })

  test.each([
    ['answers the old sequence', async () => 4],
    ['throws', () => Promise.reject(new Error('disk is full'))],
  ])('runs although the store is down and %s, and says what is acknowledged', async (_, append) => {
    const rig = commandRig()
    const down = commandRig({ audit: { ...rig.deps.audit, append } })
    expect(await down.run(bash('echo hi'), { events: [event(5)] })).toMatchObject({ outcome: 'ok', ackedSeq: 4 })
  })
})

describe('runCommand() runs blocks', () => {
  test('in order, and stops at the first that fails', async () => {
    const rig = commandRig()
    const result = await rig.run(bash('echo one', 'echo two; exit 3', 'echo three'))
    expect(result).toMatchObject({
      outcome: 'failed',
      exitCode: 3,
      output: 'one\ntwo\n',
      error: 'Command 2 of 3 ended with exit code 3',
    })
  })

  test('as bash -eo pipefail, without any profile', async () => {
    const rig = commandRig()
    writeFileSync(join(rig.workdir, '.bashrc'), 'echo profile')
    const result = await rig.run(bash('echo $-; set -o | grep pipefail; false | true; echo never'), {})
    expect(result.outcome).toBe('failed')
    expect(result.output).toMatch(/^\w*e\w*\npipefail\s+on\n$/)
  })

  test('with /dev/null as stdin, so that nothing waits for a terminal or eats the script', async () => {
    const rig = commandRig()
    expect(await rig.run(bash('cat; echo after'))).toMatchObject({ outcome: 'ok', output: 'after\n' })
  })

  test('with stdout and stderr in the order in which they were written, and /dev/stderr to open', async () => {
    const rig = commandRig()
    const script = 'for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done; echo x > /dev/stderr; echo y | tee /dev/stderr'
    const { output } = await rig.run(bash(script))
    expect(output).toBe('o1\ne1\no2\ne2\no3\ne3\no4\ne4\no5\ne5\nx\ny\ny\n')
  })

  test('with line ends of Windows', async () => {
    const rig = commandRig()
    expect((await rig.run(bash('if true\r\nthen\r\n  echo yes\r\nfi\r\n'))).output).toBe('yes\n')
  })

  test('shows no secret and no script to ps', async () => {
    const rig = commandRig()
    const executable = { ...bash('ps -A -o args; echo "$TOKEN-inside" | wc -c'), secrets: ['TOKEN'] } as const
    const result = await rig.run(executable)
    expect(result.outcome).toBe('ok')
    expect(result.output).toContain('bash --noprofile --norc -eo pipefail')
    expect(result.output).not.toContain('inside')
    expect(result.output).not.toContain('hunter2')
  })

  test('says which signal ended a command', async () => {
    const rig = commandRig()
    expect(await rig.run(bash('kill -9 $$'))).toMatchObject({
      outcome: 'failed',
      signal: 'SIGKILL',
      error: 'The command was ended by signal SIGKILL',
    })
  })

  test.each([
    ['sh', 'echo "$0" | grep -c step-1'],
    ['python', 'import sys\nprint(1 if sys.stdin.read() == "" else 0)'],
    ['node', 'const fs = require("node:fs"); console.log(fs.readFileSync(0, "utf8") === "" ? 1 : 0)'],
    ['node', 'import fs from "node:fs"; console.log(await Promise.resolve(1))'],
    ['perl', 'print "1\\n" unless <STDIN>;'],
  ])('in %s', async (language, script) => {
    const rig = commandRig()
    expect(await rig.run(inLanguage(language, script))).toMatchObject({ outcome: 'ok', output: '1\n' })
  })

  test('in python, with modules of the working directory', async () => {
    const rig = commandRig()
    writeScript(rig, 'mine.py', 'x = 5')
    expect((await rig.run(inLanguage('python', 'import mine\nprint(mine.x)'))).output).toBe('5\n')
  })

  test('in node, with modules of the working directory, whatever package.json lies above', async () => {
    const rig = commandRig()
    writeFileSync(join(rig.dir, 'package.json'), '{"type":"module"}')
    writeScript(rig, 'mine.cjs', 'module.exports = 5')
    expect((await rig.run(inLanguage('node', 'console.log(require("./mine.cjs"))'))).output).toBe('5\n')
  })

  test('with the shell that the step names', async () => {
    const rig = commandRig()
    const withShell = (shell: string) => ({ ...bash('echo $-; false; echo after'), shell })
    expect((await rig.run(withShell('bash --norc -u'))).output).toMatch(/u.*\nafter\n/)
    expect((await rig.run(withShell('/bin/sh'))).outcome).toBe('failed')
  })

  test('a program that is missing is a failed result that says what helps', async () => {
    const rig = commandRig()
    const result = await rig.run(inLanguage('no-such-language', 'x'))
    expect(result).toMatchObject({ outcome: 'failed', output: '' })
    expect(result.error).toMatch(/^Cannot start "no-such-language": no such program on this worker .*Install it/)
  })
})

describe('runCommand() builds the environment', () => {
  test('of the named variables and nothing else', async () => {
    const rig = commandRig({
      environment: {
        ...process.env,
        LC_TIME: 'C',
        MY_PROXY: 'p',
        SOP_TOKEN: 'x',
        TEMPORAL_API_KEY: 'engine-credential',
      },
      envPassthrough: ['MY_PROXY', 'NOT_SET'],
    })
    const { output } = await rig.run(
      { ...ENV, env: { REGION: 'eu' }, secrets: ['TOKEN'] },
      {
        params: {
          version: '1.2',
          'dry-run': true,
          list: [1, { a: 2 }],
          none: null,
          REGION: 'from-caller',
          TOKEN: 'mine',
        },
        outputs: { version: 'from output', 'build-id': 7, PATH: '/evil' },
        trigger: { type: 'webhook', scheduled_at: 'now', 'x-y': 'z' },
        stepNumber: 4,
      },
    )
    const env = environmentOf(output)
    expect(env).toMatchObject({
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      LC_TIME: 'C',
      MY_PROXY: 'p',
      version: '1.2',
      SOP_PARAM_VERSION: '1.2',
      dry_run: 'true',
      SOP_PARAM_DRY_RUN: 'true',
      list: '[1,{"a":2}]',
      none: '',
      build_id: '7',
      REGION: 'eu',
      TOKEN: '***',
      SOP_RUN_ID: 'sop_run_1',
      SOP_STEP: '4',
      SOP_ATTEMPT: '1',
      SOP_TRIGGER_TYPE: 'webhook',
      SOP_TRIGGER_SCHEDULED_AT: 'now',
      SOP_TRIGGER_X_Y: 'z',
    })
    const known = new Set([
      'PATH',
      'HOME',
      'USER',
      'LANG',
      'TZ',
      'TMPDIR',
      'MY_PROXY',
      'REGION',
      'TOKEN',
      'version',
      'dry_run',
      'list',
      'none',
      'build_id',
      'PWD',
      'OLDPWD',
      'SHLVL',
      '_',
    ])
    expect(
      Object.keys(env)
        .filter((name) => !known.has(name) && !/^(SOP_(PARAM|TRIGGER)_|LC_)/.test(name))
        .sort(),
    ).toEqual(['SOP_ATTEMPT', 'SOP_OUTPUT', 'SOP_RUN_DIR', 'SOP_RUN_ID', 'SOP_STEP'])
  })

  test('with a scratch folder that the steps of a run share and nobody else can read', async () => {
    const rig = commandRig()
    await rig.run(bash('echo kept > "$SOP_RUN_DIR/f"'))
    const { output } = await rig.run(bash('cat "$SOP_RUN_DIR/f"; echo "$SOP_RUN_DIR"'))
    const [content, folder] = output.trim().split('\n')
    expect(content).toBe('kept')
    expect(statSync(folder as string).mode & 0o777).toBe(0o700)
  })

  test('and leaves nothing of an execution behind once its run has the result', async () => {
    const rig = commandRig()
    const { output } = await rig.run(bash('echo a=1 >> $SOP_OUTPUT; echo "$SOP_OUTPUT"'))
    rig.commands.settle('sop_run_1', [completed(2)], false)
    expect(await rig.probe()).toEqual({ state: 'adoptable' })
    rig.commands.settle('sop_run_1', [completed(1)], false)
    await expect.poll(rig.probe, { timeout: 20_000 }).toEqual({ state: 'none' })
    await expect.poll(() => existsSync(output.trim()), { timeout: 20_000 }).toBe(false)
    expect(readdirSync(rig.deps.scratchDir).filter((name) => !name.startsWith('.'))).toEqual(['sop_run_1'])
  })

  test('and runs only the script that was signed, whatever a step did to its file', async () => {
    const rig = commandRig()
    const script = 'echo mine; chmod u+w "$0"; echo "echo evil" > "$0.new"; mv -f "$0.new" "$0"'
    for (let i = 0; i < 3; i++) expect((await rig.run(bash(script))).output).toBe('mine\n')
  })

  test.each([
    ['with a NUL character', { bad: 'a\0b' }, /variable "(bad|SOP_PARAM_BAD)": its value contains a NUL/],
    ['that is too large', { bad: 'x'.repeat(200_000) }, /its value has 200000 bytes.*SOP_RUN_DIR/],
  ])('a value %s is a failed result', async (_, params, error) => {
    const rig = commandRig()
    const result = await rig.run(bash('echo never'), { params })
    expect(result).toMatchObject({ outcome: 'failed', output: '' })
    expect(result.error).toMatch(error)
  })

  test('values that are too large together are a failed result', async () => {
    const rig = commandRig()
    const params = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`p${i}`, 'x'.repeat(60_000)]))
    const result = await rig.run(bash('echo never'), { params })
    expect(result).toMatchObject({ outcome: 'failed' })
    expect(result.error).toMatch(/Cannot start ".*bash": params, outputs and secrets together are larger/)
  })
})

describe('runCommand() starts in the working directory', () => {
  test('of the worker, or in one below it', async () => {
    const rig = commandRig()
    mkdirSync(join(rig.workdir, 'sub'))
    expect((await rig.run(bash('pwd'))).output).toBe(`${rig.workdir}\n`)
    expect((await rig.run({ ...bash('pwd'), cwd: 'sub' })).output).toBe(`${rig.workdir}/sub\n`)
    expect((await rig.run({ ...bash('pwd'), cwd: '/' })).output).toBe('/\n')
  })

  test('and one that is missing is a failed result', async () => {
    const rig = commandRig()
    const result = await rig.run({ ...bash('pwd'), cwd: 'no/such' })
    expect(result.outcome).toBe('failed')
    expect(result.error).toMatch(/^Cannot start in folder ".*\/no\/such": it does not exist \(cwd "no\/such" below/)
    writeScript(rig, 'file', '')
    expect((await rig.run({ ...bash('pwd'), cwd: 'file' })).error).toMatch(/it is not a folder/)
  })
})

describe('runCommand() takes outputs', () => {
  test('of all blocks, also where one overwrites the file', async () => {
    const rig = commandRig()
    const { outputs } = await rig.run(
      bash('echo a=1 > $SOP_OUTPUT', 'printf "b=2\\nnote<<X\\nl1\\nl2\\nX\\n" > $SOP_OUTPUT'),
    )
    expect(outputs).toEqual({ a: '1', b: '2', note: 'l1\nl2' })
  })

  test('of a step that fails', async () => {
    const rig = commandRig()
    expect(await rig.run(bash('echo a=1 >> $SOP_OUTPUT; exit 1'))).toMatchObject({
      outcome: 'failed',
      outputs: { a: '1' },
    })
  })

  test('and tells in the log of lines that it cannot take', async () => {
    const rig = commandRig()
    const result = await rig.run(bash('printf "oops\\nPATH=/evil\\na=1\\n" >> $SOP_OUTPUT'))
    expect(result).toMatchObject({ outcome: 'ok', outputs: { a: '1' } })
    expect(await rig.log()).toMatch(
      /\[sop\] Cannot take output "oops": expected name=value .*\n\[sop\] .*"PATH": the name is reserved/,
    )
  })

  test('and fails where one would have to be cut', async () => {
    const rig = commandRig()
    const one = await rig.run(bash('echo "a=$(head -c 70000 /dev/zero | tr "\\0" x)" >> $SOP_OUTPUT'))
    expect(one).toMatchObject({ outcome: 'failed', exitCode: 0 })
    expect(one.error).toMatch(/Cannot take output "a": it has 70000 bytes/)
    const all = await rig.run(bash('head -c 300000 /dev/zero >> $SOP_OUTPUT'))
    expect(all.error).toMatch(/\$SOP_OUTPUT has 300000 bytes, the limit is 262144/)
  })

  test.each(['rm "$SOP_OUTPUT"', 'rm "$SOP_OUTPUT"; mkfifo "$SOP_OUTPUT"', 'rm "$SOP_OUTPUT"; mkdir "$SOP_OUTPUT"'])(
    'and survives %s',
    async (script) => {
      const rig = commandRig()
      expect(await rig.run(bash(script))).toMatchObject({ outcome: 'ok', outputs: {} })
    },
  )
})

describe('runCommand() keeps secrets in', () => {
  test('in log, tail, outputs and errors', async () => {
    const rig = commandRig()
    await rig.deps.vault.put('sop_run_1', 'password', 'geheim/2026')
    const script = `
      echo "$TOKEN"; echo "$password" >&2; printf %s "$TOKEN" | base64; echo "SOP: $SOP_PARAM_PASSWORD"
      echo "t=$TOKEN" >> $SOP_OUTPUT
      printf '{"u":"https://x/?p=geheim%%2F2026"}'; printf hunt; sleep 0.1; printf er2-token
      exit 2`
    const result = await rig.run(
      { ...bash(script), secrets: ['TOKEN'] },
      {
        params: { password: 'vault:password' },
        secretParams: ['password'],
      },
    )
    expect(result.error).toBe('The command ended with exit code 2')
    const everything = JSON.stringify(result) + (await rig.log())
    for (const leak of ['hunter2', 'geheim', 'aHVudGVyMi10b2tlbg']) expect(everything).not.toContain(leak)
    expect(result.output).toBe('***\n***\n***\nSOP: ***\n{"u":"https://x/?p=***"}***')
    expect(result.outputs).toEqual({ t: '***' })
  })

  test('a secret that is not there is a failed result that names it', async () => {
    const rig = commandRig()
    const result = await rig.run({ ...bash('touch ran'), secrets: ['NOPE'] })
    expect(result).toMatchObject({ outcome: 'failed', error: 'Cannot read secret "NOPE": nobody set it' })
    const param = await rig.run(bash('touch ran'), { secretParams: ['pin'] })
    expect(param.error).toMatch(/Cannot read secret param "pin"/)
    expect(readdirSync(rig.workdir)).toEqual([])
  })
})

describe('runCommand() handles output', () => {
  test('keeps the tail in the result and everything in the log', async () => {
    const rig = commandRig()
    const result = await rig.run(bash('yes "ü and more" | head -n 100000'))
    const whole = 'ü and more\n'.repeat(100_000)
    expect(result.logBytes).toBe(Buffer.byteLength(whole))
    expect(whole.endsWith(result.output)).toBe(true)
    expect(Buffer.byteLength(result.output)).toBeGreaterThan(OUTPUT_TAIL_BYTES - 4)
    expect(Buffer.byteLength(result.output)).toBeLessThanOrEqual(OUTPUT_TAIL_BYTES)
    expect(await rig.log()).toBe(whole)
  })

  test('makes text of any bytes', async () => {
    const rig = commandRig()
    expect((await rig.run(bash(`printf 'a\\xffb\\0c'`))).output).toBe('a\ufffdbc')
  })

  test('streams to the log while the command runs', async () => {
    const rig = commandRig()
    const running = rig.run(bash('echo first; until [ -e go ]; do sleep 0.02; done; echo last'))
    while ((await rig.log()) !== 'first\n') await new Promise((resolve) => setTimeout(resolve, 10))
    writeScript(rig, 'go', '')
    await running
    expect(await rig.log()).toBe('first\nlast\n')
  })

  test('keeps its memory bounded while half a gigabyte passes, and holds the writer back', {
    timeout: 240_000,
  }, async () => {
    const rig = commandRig()
    let bytes = 0
    let largest = 0
    const logs = {
      ...rig.deps.logs,
      open: async () => ({
        size: 0,
        cut: async () => {},
        release: async () => {},
        yield: async () => {},
        write: async (chunk: Uint8Array) => {
          bytes += chunk.length
          if (bytes % (64 * 2 ** 20) < chunk.length) largest = Math.max(largest, process.memoryUsage().rss)
        },
        close: async () => ({ bytes }),
      }),
    }
    const before = process.memoryUsage().rss
    const result = await commandRig({ logs }).run(bash('head -c 512M /dev/zero'), { timeoutMs: 200_000 })
    expect(result).toMatchObject({ outcome: 'ok', logBytes: 2 ** 29 })
    expect(largest - before).toBeLessThan(150 * 2 ** 20)
  })

  test('does not fail a step because its log cannot be written', async () => {
    const open = () => Promise.reject(new Error('disk is full'))
    const rig = commandRig()
    expect(await commandRig({ logs: { ...rig.deps.logs, open } }).run(bash('echo hi'))).toMatchObject({
      outcome: 'ok',
      output: 'hi\n',
      logBytes: 0,
    })
  })
})
