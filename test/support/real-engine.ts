import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type EngineFile, readEngineFile } from '../../src/engine/engine-file.ts'
import type { RecordedEvent } from '../../src/core/run/event.ts'
import type { RunView } from '../../src/core/run/view.ts'
import { kill } from './kill.ts'
import { testBinary } from './temporal-server.ts'

// real-engine.ts: the programs as a person starts them, from the build, each home with its own folders and free ports.

const ROOT = resolve(import.meta.dirname, '../..')
const DIST = join(ROOT, 'dist')

type Environment = Readonly<Record<string, string>>

export interface HomeOptions {
  /** Files below the SOP directory, by path. */
  readonly sops?: Readonly<Record<string, string>>
  /** SOPs of this repository that are copied there. */
  readonly examples?: readonly string[]
  /** For every program that is started here. */
  readonly env?: Environment
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Said extends Ended {
  readonly out: string
  readonly err: string
}

export interface Answer {
  readonly status: number
  readonly json: unknown
}

/** One program of ours that goes on running: an engine, a worker, an API. */
export interface RunningProgram {
  readonly pid: number
  /** What it has written to stdout and stderr so far. */
  said(): string
  /** Sends the signal and waits until it is gone. */
  end(signal?: NodeJS.Signals): Promise<Ended>
  /** Fulfilled when it is gone, for whatever reason. */
  readonly ended: Promise<Ended>
}

export interface RunningEngine extends RunningProgram {
  readonly file: EngineFile
  readonly token: string
  /** Pid of the Temporal server that it started. */
  serverPid(): Promise<number>
  api(method: string, path: string, options?: ApiOptions): Promise<Answer>
}

export interface ApiOptions {
  readonly body?: unknown
  /** Default: the local token. `null`: none. */
  readonly token?: string | null
}

/** A folder that stands for one machine: data directory, SOP directory, working directory. */
export interface Home {
  readonly path: string
  readonly dataDir: string
  readonly sopDir: string
  /** Starts `sop serve` and waits until it is up. */
  serve(options?: StartOptions): Promise<RunningEngine>
  /** Starts a program that goes on, without waiting for anything. */
  start(args: readonly string[], env?: Environment): RunningProgram
  /** Runs `sop …` to its end. */
  cli(...args: readonly string[]): Promise<Said>
  /** Runs a script with `sop` and the aliases on its PATH. */
  shell(script: string): Promise<Said>
  run(ref: string): Promise<RunView>
  /** Waits until the run satisfies `is`. */
  runUntil(ref: string, is: (run: RunView) => boolean, withinMs?: number): Promise<RunView>
  /**
   * The record as it stands in the data directory. Of an open run it may be a little behind its state: `last` waits for
   * that event to be its end.
   */
  record(runId: string, last?: RecordedEvent['eventType']): Promise<readonly RecordedEvent[]>
  /** Every process that works for this home, except those that were asked for: `pid command`. */
  processes(): Promise<readonly string[]>
  /**
   * Ends those processes of this home as if their machine had failed: all are stopped first, so that none sees another
   * one's end and writes it down.
   */
  fail(which: RegExp): Promise<void>
  /** Ends whatever runs here, and deletes the folder. */
  remove(): Promise<void>
}

export interface StartOptions {
  readonly args?: readonly string[]
  readonly env?: Environment
}

/** Waits until `look` gives something that satisfies `is`. */
export const until = async <T>(
  look: () => T | Promise<T>,
  is: (value: T) => boolean,
  withinMs = 60_000,
): Promise<T> => {
  const end = Date.now() + withinMs
  for (;;) {
    const value = await look()
    if (is(value)) return value
    if (Date.now() > end) throw new Error(`Not seen within ${withinMs} ms; last: ${JSON.stringify(value, null, 1)}`)
    await sleep(100)
  }
}

export const createHome = async (options: HomeOptions = {}): Promise<Home> => {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'sop-home-')))
  const [dataDir, sopDir] = [join(path, 'data'), join(path, 'sops')]
  await mkdir(sopDir)
  for (const name of options.examples ?? []) await cp(join(ROOT, 'sops', name), join(sopDir, name), { recursive: true })
  for (const [file, text] of Object.entries(options.sops ?? {})) {
    await mkdir(dirname(join(sopDir, file)), { recursive: true })
    await writeFile(join(sopDir, file), text)
  }
  const env: Record<string, string> = {
    ...(await baseEnvironment(path)),
    SOP_DATA_DIR: dataDir,
    SOP_DIR: sopDir,
    ...options.env,
  }
  const programs: RunningProgram[] = []
  const start = (args: readonly string[], more: Environment = {}): RunningProgram => {
    const program = startProgram(path, args, { ...env, ...more })
    programs.push(program)
    return program
  }
  const cli = (...args: readonly string[]): Promise<Said> =>
    finish(process.execPath, [join(DIST, 'cli/main.js'), ...args], path, env)
  const run = async (ref: string): Promise<RunView> => {
    const said = await cli('status', ref, '--json')
    if (said.code !== 0) throw new Error(`Cannot read run "${ref}": ${said.err}`)
    return JSON.parse(said.out) as RunView
  }
  return {
    path,
    dataDir,
    sopDir,
    start,
    cli,
    run,
    runUntil: async (ref, is, withinMs) => {
      const look = async () => (await lookByHttp(dataDir, ref)) ?? (await run(ref))
      const seen = await until(look, (view) => view !== 'busy' && is(view), withinMs)
      if (seen === 'busy') throw new Error('unreachable')
      return seen
    },
    serve: ({ args = [], env: more } = {}) => waitUntilUp(dataDir, start(['serve', ...args], more)),
    shell: async (script) => {
      const bin = join(path, 'bin')
      await installCommands(bin)
      return finish('bash', ['--norc', '-c', script], path, { ...env, PATH: `${bin}:${env.PATH}` })
    },
    record: (runId, last) =>
      until(
        () => readRecord(dataDir, runId),
        (record) => last === undefined || record.at(-1)?.eventType === last,
      ),
    processes: () => processesOf(path),
    fail: async (which) => {
      const pids: number[] = []
      // One that was being started when the others were listed is seen by the next look.
      for (let found = -1; found !== pids.length; ) {
        found = pids.length
        const lines = (await processesOf(path)).filter((line) => which.test(line))
        pids.push(...lines.map((line) => Number.parseInt(line, 10)).filter((pid) => !pids.includes(pid)))
        for (const pid of pids) kill(pid, 'SIGSTOP')
      }
      for (const pid of pids) kill(pid)
    },
    remove: async () => {
      for (const { pid } of programs) kill(pid)
      await Promise.all(programs.map(({ ended }) => ended))
      // Only a test that fails leaves one; whatever names this folder is ours.
      await until(
        async () => {
          const left = await processesOf(path)
          for (const line of left) kill(Number.parseInt(line, 10))
          return left
        },
        (left) => left.length === 0,
      )
      await rm(path, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The environment of this machine without anything that would lead a program to another engine. */
const baseEnvironment = async (home: string): Promise<Record<string, string>> => {
  const foreign = /^(SOP_|TEMPORAL_|OTEL_|DATA_DIR$|STATE_DIR$|AUDIT_DIR$|VITEST|NODE_OPTIONS$)/
  const kept = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !foreign.test(entry[0]),
  )
  return {
    ...Object.fromEntries(kept),
    TEMPORAL_CLI_PATH: (await testBinary()).path,
    TEMPORAL_CONFIG_FILE: join(home, 'no-temporal.toml'),
    SOP_API_PORT: '0',
    SOP_TEMPORAL_PORT: '0',
    SOP_TEMPORAL_UI_PORT: '0',
    LANG: 'C.UTF-8',
  }
}

const startProgram = (cwd: string, args: readonly string[], env: Environment): RunningProgram => {
  const child = spawn(process.execPath, [join(DIST, 'cli/main.js'), ...args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, as a terminal gives to what it runs.
    detached: true,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const ended = endOf(child)
  const pid = child.pid ?? 0
  // A test run that is ended itself leaves nothing behind either.
  const onExit = (): void => kill(pid)
  process.once('exit', onExit)
  void ended.then(() => process.off('exit', onExit))
  return {
    pid,
    said: () => said,
    ended,
    end: (signal = 'SIGINT') => {
      kill(pid, signal)
      return ended
    },
  }
}

const waitUntilUp = async (dataDir: string, program: RunningProgram): Promise<RunningEngine> => {
  let end: Ended | undefined
  void program.ended.then((how) => (end = how))
  const file = await until(
    async () => {
      if (end !== undefined) throw new Error(`The engine ended (${JSON.stringify(end)}): ${program.said()}`)
      const found = await readEngineFile(dataDir)
      return found.state === 'running' && found.engine.pid === program.pid ? found.engine : undefined
    },
    (found) => found !== undefined,
    120_000,
  ).catch((error: Error) => {
    throw new Error(`${error.message}\n${program.said()}`)
  })
  if (file === undefined) throw new Error('unreachable')
  const token = (await readFile(file.tokenPath, 'utf8')).trim()
  return {
    ...program,
    file,
    token,
    serverPid: async () =>
      (JSON.parse(await readFile(join(dataDir, 'temporal/server.json'), 'utf8')) as { pid: number }).pid,
    api: (method, path, options) => request(file.url, token, method, path, options),
  }
}

const request = async (
  url: string,
  local: string,
  method: string,
  path: string,
  { body, token = local }: ApiOptions = {},
): Promise<Answer> => {
  const ask = () =>
    fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { Authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  // A connection that was kept may be closed by the other side just now: what may be asked twice is.
  const response = await (method === 'GET' ? ask().catch(ask) : ask())
  const text = await response.text()
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) }
}

/**
 * Where a run stands, from the engine that works in a data directory; undefined where none does. A program for each look
 * would keep the machine from what is looked at.
 */
const lookByHttp = async (dataDir: string, ref: string): Promise<RunView | 'busy' | undefined> => {
  const found = await readEngineFile(dataDir)
  if (found.state !== 'running') return undefined
  const { url, tokenPath } = found.engine
  const token = (await readFile(tokenPath, 'utf8').catch(() => '')).trim()
  const path = `/api/v1/runs/${encodeURIComponent(ref)}`
  // It may be going down at this moment.
  const { status, json } = await request(url, token, 'GET', path).catch(() => ({ status: 503, json: undefined }))
  if (status === 200) return json as RunView
  if (status === 503) return 'busy'
  throw new Error(`Cannot read run "${ref}": ${status} ${JSON.stringify(json)}`)
}

const finish = async (program: string, args: readonly string[], cwd: string, env: Environment): Promise<Said> => {
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { out: '', err: '' }
  child.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (texts.err += chunk.toString()))
  return { ...(await endOf(child)), ...texts }
}

const endOf = (child: ChildProcess): Promise<Ended> =>
  new Promise((done) => {
    child.on('error', () => done({ code: null, signal: null }))
    child.on('close', (code, signal) => done({ code, signal }))
  })

const installCommands = async (bin: string): Promise<void> => {
  const { bin: programs } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    bin: Record<string, string>
  }
  await mkdir(bin, { recursive: true })
  for (const [name, file] of Object.entries(programs)) {
    const text = `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, file)}' "$@"\n`
    await writeFile(join(bin, name), text, { mode: 0o755 })
  }
}

const readRecord = async (dataDir: string, runId: string): Promise<readonly RecordedEvent[]> => {
  const root = join(dataDir, 'audit')
  const files = await readdir(root, { recursive: true })
  const file = files.find((name) => name.endsWith(`${runId}.jsonl`))
  if (file === undefined) throw new Error(`Cannot find the record of run "${runId}" in ${root}`)
  const lines = (await readFile(join(root, file), 'utf8')).trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as RecordedEvent)
}

/** On Linux, whatever has the folder in its command or its environment; elsewhere, in its command. */
const processesOf = async (path: string): Promise<readonly string[]> => {
  if (process.platform !== 'linux') {
    const { stdout } = await promisify(execFile)('ps', ['-axo', 'pid=,args='], { maxBuffer: 1e8 })
    return stdout.split('\n').filter((line) => line.includes(path))
  }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '')
      const [command, environment] = await Promise.all([read('cmdline'), read('environ')])
      return `${command}\0${environment}`.includes(path) ? [`${pid} ${command.replaceAll('\0', ' ').trim()}`] : []
    }),
  )
  return found.flat()
}
