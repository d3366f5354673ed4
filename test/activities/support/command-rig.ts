import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ActivityCancellationDetails } from '@temporalio/common'
import { MockActivityEnvironment } from '@temporalio/testing'
import { DefaultLogger } from '@temporalio/worker'
import { onTestFinished } from 'vitest'
import type { ActivityDeps, LogKey } from '../../../src/activities/deps.ts'
import { type Commands, createCommands } from '../../../src/activities/commands.ts'
import { createActivities, createHostActivities } from '../../../src/activities/index.ts'
import { SopError } from '../../../src/core/errors.ts'
import type { RunEvent } from '../../../src/core/run/event.ts'
import type { CommandResult, CommandTask, Executable, ProbeAnswer } from '../../../src/core/run/task.ts'
import { createFileAudit } from '../../../src/adapters/file-audit.ts'
import { createFileLogs } from '../../../src/adapters/file-logs.ts'
import { createFileVault } from '../../../src/adapters/file-vault.ts'
import { kill } from '../../support/kill.ts'

type ShellExecutable = Extract<Executable, { kind: 'shell' }>

export const bash = (...scripts: readonly string[]): ShellExecutable => ({
  kind: 'shell',
  commands: scripts.map((script) => ({ interpreter: 'bash', script })),
})

export const inLanguage = (interpreter: string, script: string): ShellExecutable => ({
  kind: 'shell',
  commands: [{ interpreter, script }],
})

export interface CommandRig {
  readonly dir: string
  readonly workdir: string
  readonly deps: ActivityDeps
  readonly env: MockActivityEnvironment
  readonly commands: Commands
  run(executable: Executable, task?: Partial<CommandTask>): Promise<CommandResult>
  /** What the host knows of the execution that ran here. */
  probe(): Promise<ProbeAnswer>
  /** Adopts that execution. */
  adopt(executable: Executable, task?: Partial<CommandTask>): Promise<CommandResult>
  log(key?: Partial<LogKey>): Promise<string>
  /** Resolves once the file is there and has content; with that. */
  appears(name: string): Promise<string>
  cancel(reason: string, details?: ActivityCancellationDetails): void
  path(name: string): string
}

const SECRETS: Readonly<Record<string, string>> = { TOKEN: 'hunter2-token' }

/** A task that runs the executable as step 1 of a run. */
export const taskOf = (executable: Executable, changes: Partial<CommandTask>): CommandTask => ({
  runId: 'sop_run_1',
  sop: 'deploy',
  digest: 'digest',
  executableId: 'step:1',
  executable,
  warrant: 'signed',
  stepNumber: 1,
  attempt: 1,
  title: 'Build',
  params: {},
  outputs: {},
  trigger: { type: 'manual' },
  timeoutMs: 30_000,
  events: [],
  ...changes,
})

/** The real activity on real files and processes; only the clock of Temporal is played by the mock environment. */
export const commandRig = (overrides: Partial<ActivityDeps> = {}, attempt = 1): CommandRig => {
  const dir = mkdtempSync(join(tmpdir(), 'sop activities '))
  const workdir = join(dir, 'work dir')
  mkdirSync(workdir)
  const env = new MockActivityEnvironment({ attempt }, { logger: new DefaultLogger('ERROR', () => {}) })
  const deps: ActivityDeps = {
    audit: createFileAudit({ dataDir: dir }),
    logs: createFileLogs({ dataDir: dir }),
    vault: createFileVault({ dataDir: dir }),
    secrets: {
      get: async (name) => {
        const value = SECRETS[name]
        if (value === undefined) throw new SopError('invalid', `Cannot read secret "${name}": nobody set it`)
        return value
      },
    },
    verifyWarrant: ({ warrant }) => warrant === 'signed',
    pinSop: () => Promise.reject(new SopError('not_found', 'Cannot find SOP')),
    resolveFact: async (name) => name,
    runEnds: { find: async () => undefined },
    seal: () => '',
    admission: { request: async () => {}, release: async () => {}, yield: async () => {}, findGone: async () => [] },
    requestCancel: async () => {},
    pools: { look: async () => 'taken' },
    envPassthrough: [],
    workdir,
    scratchDir: join(dir, 'scratch'),
    killGraceMs: 300,
    environment: { ...process.env, AWS_SECRET_ACCESS_KEY: 'engine-credential', TEMPORAL_API_KEY: 'engine-credential' },
    ...overrides,
  }
  onTestFinished(async () => {
    const spool = read(join(deps.scratchDir, '.spool-path'))
    for (const pid of livePidsWith(dir)) kill(pid)
    await commands.close()
    rmSync(dir, { recursive: true, force: true })
    if (spool !== '') rmSync(spool, { recursive: true, force: true })
  })
  const commands = createCommands(deps)
  const { runCommand } = createActivities(deps, commands)
  const host = createHostActivities(deps, commands)
  const lost = { runId: 'sop_run_1', executionId: env.context.info.workflowExecution?.runId ?? '', activityId: 'test' }
  return {
    dir,
    workdir,
    deps,
    env,
    commands,
    run: (executable, changes = {}) => env.run(runCommand, taskOf(executable, changes)),
    probe: () => host.probeCommand(lost),
    adopt: (executable, changes = {}) =>
      new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => {}) }).run(host.adoptCommand, {
        task: taskOf(executable, changes),
        lost,
      }),
    log: async (key = {}) => {
      const { bytes } = await deps.logs.read(
        { runId: 'sop_run_1', executableId: 'step:1', attempt: 1, ...key },
        0,
        2 ** 30,
      )
      return Buffer.from(bytes).toString()
    },
    appears: (name) => appears(join(workdir, name)),
    cancel: (reason, details) => env.cancel(reason as 'CANCELLED', details),
    path: (name) => join(workdir, name),
  }
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

const appears = async (path: string): Promise<string> => {
  for (;;) {
    try {
      const text = readFileSync(path, 'utf8')
      if (text !== '') return text
    } catch {
      // not there yet
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const ps = (): readonly { readonly pid: number; readonly pgid: number }[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,pgid=,stat='], { encoding: 'utf8' })
    .split('\n')
    .flatMap((line) => {
      const [pid, pgid, stat = 'Z'] = line.trim().split(/\s+/)
      return stat.startsWith('Z') ? [] : [{ pid: Number(pid), pgid: Number(pgid) }]
    })

/** Pids of a process group that are alive, as `ps` sees them. */
export const liveInGroup = (pgid: number): readonly number[] =>
  ps().flatMap((row) => (row.pgid === pgid ? [row.pid] : []))

export const isAlive = (pid: number): boolean => ps().some((row) => row.pid === pid)

/** Pids whose environment names the directory: everything that a test of the rig has begun, wherever it went. */
const livePidsWith = (dir: string): readonly number[] =>
  ps()
    .map(({ pid }) => pid)
    .filter((pid) => {
      try {
        return pid !== process.pid && readFileSync(`/proc/${pid}/environ`, 'utf8').includes(dir)
      } catch {
        return false
      }
    })

export const writeScript = (rig: CommandRig, name: string, text: string): void => writeFileSync(rig.path(name), text)

export const event = (sequence: number, runId = 'sop_run_1'): RunEvent => ({
  sequence,
  timestamp: new Date(Date.UTC(2026, 0, 1, 0, 0, sequence)).toISOString(),
  eventType: 'run_admitted',
  runId,
  principal: { id: 'engine', kind: 'service' },
  via: 'engine',
  details: { phase: 'slot' },
})
