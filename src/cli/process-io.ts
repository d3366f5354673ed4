import type { Io } from './io.ts'

/**
 * The `Io` of this process. A reader that went away (`sop list | head -1`) ends the process quietly: what it did not
 * read is not an error.
 */
export const createProcessIo = (proc: NodeJS.Process): Io => {
  for (const stream of [proc.stdout, proc.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') proc.exit()
      throw error
    })
  return {
    write: (text) =>
      proc.stdout.write(text) ? Promise.resolve() : new Promise((taken) => proc.stdout.once('drain', taken)),
    out: proc.stdout,
    err: proc.stderr,
    isTTY: proc.stdout.isTTY === true,
    errIsTTY: proc.stderr.isTTY === true,
    inIsTTY: proc.stdin.isTTY === true,
    env: proc.env,
    cwd: proc.cwd(),
    now: Date.now,
    readStdin: () => readAll(proc.stdin),
    ask: (question, options = {}) => askLine(proc, question, options.secret === true),
    onInterrupt: (listener) => {
      proc.on('SIGINT', listener)
      return () => void proc.off('SIGINT', listener)
    },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve()
        const done = () => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', done)
          resolve()
        }
        const timer = setTimeout(done, ms)
        signal?.addEventListener('abort', done)
      }),
  }
}

const readAll = async (stream: NodeJS.ReadStream): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)))
  return Buffer.concat(chunks).toString('utf8')
}

/** Resolves once everything written so far has left the process, so that it may be ended. */
export const flush = async (proc: NodeJS.Process): Promise<void> => {
  await Promise.all(
    [proc.stdout, proc.stderr].map((stream) => new Promise<void>((done) => void stream.write('', () => done()))),
  )
}

const askLine = async (proc: NodeJS.Process, question: string, secret: boolean): Promise<string | undefined> => {
  const [{ createInterface }, { Writable }] = await Promise.all([import('node:readline'), import('node:stream')])
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  // Questions go to stderr: stdout belongs to the answer of the command.
  if (secret) proc.stderr.write(question)
  const reader = createInterface({ input: proc.stdin, output: secret ? silent : proc.stderr, terminal: true })
  return new Promise((resolve) => {
    let answer: string | undefined
    reader.on('SIGINT', () => {
      reader.close()
      proc.stderr.write('\n')
      proc.kill(proc.pid, 'SIGINT')
    })
    reader.on('close', () => {
      if (secret) proc.stderr.write('\n')
      resolve(answer)
    })
    reader.question(secret ? '' : question, (text) => {
      answer = text
      reader.close()
    })
  })
}
