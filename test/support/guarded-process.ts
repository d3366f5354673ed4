import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'

// guarded-process.ts: servers of others that tests need. A shell ends them when its standard input closes: with the tests,
// however those end.

export interface GuardedProcess {
  /** What it has said so far, its last part. */
  said(): string
  /** Waits until it has said the words. @throws Error with what it said when it ends before */
  until(words: string): Promise<void>
  /** Ends it by SIGINT, and waits. */
  end(): Promise<void>
}

const GUARD = 'exec 3<&0; "$@" & pid=$!; trap "" INT TERM; { read -r _; kill -INT $pid; } <&3 & wait $pid'

/** Starts a program under its guard. */
export const startGuarded = (
  program: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env' | 'uid' | 'gid'>,
): GuardedProcess => {
  const child: ChildProcess = spawn('sh', ['-c', GUARD, 'sh', program, ...args], {
    ...options,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  let said = ''
  let tell: () => void = () => {}
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-20_000)
      tell()
    })
  }
  let hasEnded = false
  const exited = once(child, 'exit').then(() => {
    hasEnded = true
    tell()
  })
  return {
    said: () => said,
    until: async (words) => {
      while (!said.includes(words)) {
        if (hasEnded) throw new Error(`${program} did not start: ${said}`)
        await new Promise<void>((resolve) => {
          tell = resolve
        })
      }
    },
    end: async () => {
      child.stdin?.end()
      await exited
    },
  }
}
