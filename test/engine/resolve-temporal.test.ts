import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { appendFile, chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as tar from 'tar'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cacheFolder } from '../../src/engine/find-temporal.ts'
import { type ResolveOptions, resolveTemporal } from '../../src/engine/resolve-temporal.ts'
import { TEMPORAL_CLI_VERSION } from '../../src/engine/temporal-release.ts'

const CURRENT = 'temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)'
const OLD = 'temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)'

let home: string
let lines: string[]
const servers: Server[] = []

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sop resolve-'))
  lines = []
})
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
  await rm(home, { recursive: true, force: true })
})

const script = async (path: string, body: string): Promise<string> => {
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, `#!/bin/sh\n${body}\n`)
  await chmod(path, 0o755)
  return path
}
const temporal = (path: string, says = CURRENT) => script(path, `echo '${says}'`)
const env = (path: readonly string[] = [], more: Record<string, string> = {}) => ({
  HOME: home,
  XDG_CACHE_HOME: join(home, 'cache'),
  PATH: [...path, '/usr/bin', '/bin'].join(':'),
  ...more,
})
const cached = () => join(cacheFolder(env()), 'temporal')
const resolve = (options: Partial<ResolveOptions> = {}) =>
  resolveTemporal({
    env: env(),
    downloadUrl: 'http://127.0.0.1:9/cli',
    toolsDir: join(home, 'no-tools'),
    progress: { note: (line) => lines.push(line), wait: (line) => lines.push(line) },
    ...options,
  })

const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The tar.gz that the CDN holds: a CLI beside other files. */
const archive = async (body = `echo '${CURRENT}'`): Promise<Buffer> => {
  const folder = await mkdtemp(join(home, 'archive-'))
  await script(join(folder, 'temporal'), body)
  // What follows `exit` plays the bulk of a binary: random, so that it does not shrink.
  await appendFile(join(folder, 'temporal'), `exit\n${randomBytes(200_000).toString('base64')}`)
  await writeFile(join(folder, 'LICENSE'), 'x'.repeat(5_000))
  await tar.create({ cwd: folder, file: join(folder, 'a.tar'), portable: true }, ['LICENSE', 'temporal'])
  return gzipSync(await readFile(join(folder, 'a.tar')))
}

/** Plays temporal.download and the store that it points to. */
const cdn = async (bytes: Buffer, fileToExtract: unknown = 'temporal') => {
  const asked: string[] = []
  const url = await serve((request, response) => {
    asked.push(request.url ?? '')
    if (request.url === '/archive.tar.gz') {
      response.setHeader('content-length', bytes.length)
      response.end(bytes)
    } else response.end(JSON.stringify({ archiveUrl: `${url}/archive.tar.gz`, fileToExtract }))
  })
  return { url: `${url}/cli`, asked }
}

describe('TEMPORAL_CLI_PATH', () => {
  test('wins over everything else', async () => {
    await temporal(join(home, 'bin', 'temporal'))
    const cliPath = await temporal(join(home, 'my own temporal'))
    const binary = await resolve({ cliPath, env: env([join(home, 'bin')]) })
    expect(binary).toEqual({ path: cliPath, cliVersion: '1.8.2', serverVersion: '1.31.2' })
  })

  test.each([
    ['missing', undefined, 'there is no such file'],
    ['failing', '#!/bin/sh\necho "bad luck" >&2\nexit 3\n', '--version exits with 3 (bad luck)'],
    ['killed', '#!/bin/sh\nkill -SEGV $$\n', '--version ended by SIGSEGV; the file may be damaged'],
    ['another program', '#!/bin/sh\necho "tempo 2"\n', 'is no Temporal CLI: --version says "tempo 2"'],
    ['too old', `#!/bin/sh\necho '${OLD}'\n`, 'has server 1.29.1: 1.31.0 or later is needed'],
  ])('that is %s is an error that says so, and nothing else is tried', async (_, text, reason) => {
    await temporal(cached())
    const cliPath = join(home, 'broken')
    if (text !== undefined) await writeFile(cliPath, text, { mode: 0o755 })
    await expect(resolve({ cliPath })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/^Cannot use TEMPORAL_CLI_PATH: ".*Set it to a Temporal CLI 1\.8\.2, or unset it/),
    })
    await expect(resolve({ cliPath })).rejects.toThrow(reason)
  })

  test('that is not executable, cut short or hanging is an error', async () => {
    const cliPath = join(home, 'broken')
    await writeFile(cliPath, 'x', { mode: 0o600 })
    await expect(resolve({ cliPath })).rejects.toThrow('it is not an executable file')
    const whole = await readFile(process.execPath)
    await writeFile(cliPath, whole.subarray(0, 200_000))
    await chmod(cliPath, 0o755)
    await expect(resolve({ cliPath })).rejects.toThrow(/damaged/)
    const hanging = await script(join(home, 'hanging'), 'exec sleep 600')
    await expect(resolve({ cliPath: hanging, timeoutMs: 200 })).rejects.toThrow('--version gave no answer within 0.2 s')
  })
})

describe('PATH', () => {
  test('gives the first CLI that runs and is new enough, and tells which were passed over', async () => {
    const [broken, old, good] = [join(home, 'a'), join(home, 'b b'), join(home, 'c')]
    await script(join(broken, 'temporal'), 'exit 1')
    await temporal(join(old, 'temporal'), OLD)
    await temporal(join(good, 'temporal'), 'temporal version 1.9.0-rc (Server 1.31.7, UI 2.60.0)')
    await mkdir(join(home, 'd', 'temporal'), { recursive: true })
    const binary = await resolve({ env: env([join(home, 'd'), broken, old, good]) })
    expect(binary).toEqual({ path: join(good, 'temporal'), cliVersion: '1.9.0-rc', serverVersion: '1.31.7' })
    expect(lines).toEqual([
      `Passing over a Temporal CLI on PATH: "${join(broken, 'temporal')}" does not run: --version exits with 1`,
      `Passing over a Temporal CLI on PATH: "${join(old, 'temporal')}" has server 1.29.1: 1.31.0 or later is needed`,
    ])
  })

  test('gives nothing that the caller cannot use, and the cache is asked next', async () => {
    await temporal(join(home, 'bin', 'temporal'), 'temporal version 2.0.0 (Server 1.40.0, UI 3)')
    await temporal(cached())
    const accepts = (server: string) => (server === '1.31.2' ? undefined : 'the database file needs 1.31')
    const binary = await resolve({ env: env([join(home, 'bin')]), accepts })
    expect(binary.path).toBe(cached())
    expect(lines.join()).toContain('has server 1.40.0: the database file needs 1.31')
  })
})

describe('cache', () => {
  test('is below $XDG_CACHE_HOME, else ~/.cache, and named for the version', () => {
    const name = `temporal-cli-${TEMPORAL_CLI_VERSION}`
    expect(cacheFolder({ XDG_CACHE_HOME: '/x', HOME: '/h' })).toBe(`/x/sop-engine/${name}`)
    expect(cacheFolder({ HOME: '/h' })).toBe(`/h/.cache/sop-engine/${name}`)
    expect(cacheFolder({ XDG_CACHE_HOME: '', HOME: '/h' })).toBe(`/h/.cache/sop-engine/${name}`)
    expect(cacheFolder({ XDG_CACHE_HOME: 'relative', HOME: '/h' })).toBe(`/h/.cache/sop-engine/${name}`)
  })

  test('is used without asking the network', async () => {
    await temporal(cached())
    expect((await resolve()).path).toBe(cached())
    expect(lines).toEqual([])
  })

  test('that holds a broken binary is filled anew', async () => {
    await script(cached(), 'exit 2')
    const { url } = await cdn(await archive())
    expect((await resolve({ downloadUrl: url })).path).toBe(cached())
    expect(lines[0]).toContain('Passing over the Temporal CLI in our cache')
    expect((await resolve()).path).toBe(cached())
  })
})

describe('download', () => {
  test('puts the CLI into the cache, once', async () => {
    const { url, asked } = await cdn(await archive())
    const binary = await resolve({
      env: env([], { SOP_TEMPORAL_DOWNLOAD_URL: `${url}/` }),
      downloadUrl: undefined as never,
    })
    expect(binary).toEqual({ path: cached(), cliVersion: '1.8.2', serverVersion: '1.31.2' })
    expect(asked).toEqual([
      expect.stringMatching(/^\/cli\/1\.8\.2\?arch=\w+&platform=\w+&format=tar\.gz$/),
      '/archive.tar.gz',
    ])
    expect(lines.at(-1)).toBe(`Downloaded Temporal 1.8.2 (server 1.31.2) into ${cached()}`)
    expect(lines.join('\n')).toMatch(/Downloading Temporal 1\.8\.2 … \d of 0 MB \(100 %\)/)
    expect(await readdir(cacheFolder(env()))).toEqual(['temporal'])
    await resolve({ downloadUrl: url })
    expect(asked).toHaveLength(2)
  })

  test('removes what one that was killed left', async () => {
    await mkdir(join(cacheFolder(env()), '.download-1', 'temporal'), { recursive: true })
    await writeFile(join(cacheFolder(env()), '.build-1'), 'half')
    const { url } = await cdn(await archive())
    await resolve({ downloadUrl: url })
    expect(await readdir(cacheFolder(env()))).toEqual(['temporal'])
  })

  test('is made once by many that start at the same time', async () => {
    const { url, asked } = await cdn(await archive())
    const all = await Promise.all([1, 2, 3, 4].map(() => resolve({ downloadUrl: url })))
    expect(new Set(all.map((one) => one.path))).toEqual(new Set([cached()]))
    expect(asked).toHaveLength(2)
  })

  /** How long the server may say nothing; short only for the one that never says anything. */
  const failures: [string, () => Promise<string>, RegExp, number?][] = [
    ['refuses the connection', async () => 'http://127.0.0.1:9/cli', /cannot be reached/],
    ['has an unknown name', async () => 'http://nowhere.invalid/cli', /cannot be reached: .*offline\?/],
    ['answers 404', () => serve((_, response) => response.writeHead(404).end()), /answered 404 for \/1\.8\.2/],
    ['answers with a page', () => serve((_, response) => response.end('<html>')), /without the address of an archive/],
    ['names a path', async () => (await cdn(await archive(), '../temporal')).url, /without the address of an archive/],
    [
      'sends no archive',
      async () => (await cdn(Buffer.from('not a tar'))).url,
      /sent a damaged archive|TAR_BAD_ARCHIVE/,
    ],
    ['sends half an archive', async () => (await cdn(await half())).url, /damaged archive/],
    [
      'sends an archive without the CLI',
      async () => (await cdn(await archive(), 'temporal2')).url,
      /there is no such file/,
    ],
    ['sends a CLI that does not run', async () => (await cdn(await archive('exit 9'))).url, /--version exits with 9/],
    ['breaks off', brokenOff, /cannot be reached|broke off|terminated/],
    ['falls silent', () => serve(() => {}), /sent nothing for 0\.3 s/, 300],
  ]
  const half = async () => (await archive()).subarray(0, 100_000)
  async function brokenOff(): Promise<string> {
    const url = await serve((request, response) => {
      if (request.url !== '/a')
        return response.end(JSON.stringify({ archiveUrl: `${url}/a`, fileToExtract: 'temporal' }))
      response.writeHead(200, { 'content-length': 1_000_000 })
      response.write(Buffer.alloc(10_000), () => response.destroy())
    })
    return url
  }

  test.each(failures)(
    'that %s is told, leaves nothing behind, and Go is asked next',
    async (_, from, reason, stallMs = 40_000) => {
      const downloadUrl = await from()
      const failed = resolve({ downloadUrl, stallMs })
      await expect(failed).rejects.toThrow(reason)
      await expect(failed).rejects.toThrow(/build with Go: (there is no "go" on PATH|".*" has no go\.mod)/)
      expect(await readdir(cacheFolder(env()))).toEqual([])
    },
  )

  test('ends when the caller gives up', async () => {
    const controller = new AbortController()
    const downloadUrl = await serve(() => controller.abort(new Error('Ctrl-C')))
    await expect(resolve({ downloadUrl, signal: controller.signal })).rejects.toThrow('Ctrl-C')
    expect(await readdir(cacheFolder(env()))).toEqual([])
  })
})

describe('build with Go', () => {
  const tools = async (): Promise<string> => {
    const folder = join(home, 'tools')
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'go.mod'), 'module x\n')
    return folder
  }
  /** A `go` that answers `version` and plays `build`; `$out` is the file that it is asked for. */
  const go = async (build: string, version = 'go1.26.8'): Promise<string> => {
    const body = `if [ "$1" = version ]; then echo "go version ${version} linux/amd64"; exit 0; fi
while [ "$1" != -o ]; do shift; done; out="$2"
${build}`
    await script(join(home, 'go bin', 'go'), body)
    return join(home, 'go bin')
  }
  const compile = `printf '#!/bin/sh\\necho "${CURRENT}"\\n' > "$out"; chmod +x "$out"`

  test('puts the CLI into the cache and shows what it does', async () => {
    const path = await go(
      `echo "go: downloading github.com/x/y v1" >&2; echo github.com/x/y >&2; env > "$HOME/env"; pwd > "$HOME/cwd"; ${compile}`,
    )
    const toolsDir = await tools()
    const binary = await resolve({ env: env([path]), toolsDir })
    expect(binary).toEqual({ path: cached(), cliVersion: '1.8.2', serverVersion: '1.31.2' })
    expect(lines[1]).toMatch(/^Building Temporal 1\.8\.2 with Go, about four minutes, once … \d+ s/)
    expect(await readFile(join(home, 'env'), 'utf8')).toMatch(/^CGO_ENABLED=0$/m)
    expect((await readFile(join(home, 'cwd'), 'utf8')).trim()).toBe(toolsDir)
    expect(await readdir(cacheFolder(env()))).toEqual(['temporal'])
  })

  test.each([
    [
      'fails',
      'echo "# x/y" >&2; echo "y.go:1: no disk" >&2; exit 1',
      'go1.22',
      /"go build" failed: # x\/y\n\s+y\.go:1: no disk/,
    ],
    ['fails without a word', 'exit 4', 'go1.22', /"go build" failed: it exits with 4/],
    ['makes something useless', 'echo exit 1 > "$out"; chmod +x "$out"', 'go1.22', /what Go built cannot be used/],
    ['is too old', compile, 'go1.19.8', /is Go 1\.19\.8; 1\.21\.0 or later is needed/],
  ])('that %s is told with everything else that was tried', async (_, build, version, reason) => {
    const failed = resolve({ env: env([await go(build, version)]), toolsDir: await tools() })
    await expect(failed).rejects.toThrow(reason)
    await expect(failed).rejects.toMatchObject({ code: 'unavailable' })
    expect(await readdir(cacheFolder(env()))).toEqual([])
  })

  test('ends with all its processes when the caller gives up', async () => {
    const controller = new AbortController()
    const path = await go('echo $$ > "$HOME/pid"; sleep 600 & wait')
    const pidFile = join(home, 'pid')
    const isBuilding = (): boolean => existsSync(pidFile) && readFileSync(pidFile, 'utf8').endsWith('\n')
    const resolving = resolve({
      env: env([path]),
      toolsDir: await tools(),
      signal: controller.signal,
      progress: {
        note: () => {},
        wait: () => void (isBuilding() && controller.abort(new Error('Ctrl-C'))),
      },
    })
    await expect(resolving).rejects.toThrow('Ctrl-C')
    const pid = Number(await readFile(pidFile, 'utf8'))
    const left = async (): Promise<readonly string[]> => {
      const ps = spawn('ps', ['-o', 'stat=', '-g', String(pid)])
      let text = ''
      for await (const chunk of ps.stdout) text += String(chunk)
      // A zombie that nobody has reaped yet runs no more.
      return text.split('\n').filter((state) => /^[^Z]/.test(state))
    }
    // What was killed closes its files a moment before it is gone.
    await expect.poll(left, { timeout: 20_000 }).toEqual([])
    expect(await readdir(cacheFolder(env()))).toEqual([])
  })
})

test('the last error names every place that was tried and everything that helps', async () => {
  const failed = resolve()
  await expect(failed).rejects.toMatchObject({ code: 'unavailable' })
  const message = await failed.then(String, (error: Error) => error.message)
  expect(message.split('\n')).toEqual([
    'Cannot start Temporal: no Temporal CLI was found or could be made',
    '  TEMPORAL_CLI_PATH: it is not set',
    '  temporal on PATH: there is none',
    `  cache ${cacheFolder(env())}: it is empty`,
    expect.stringMatching(/^ {2}download: http:\/\/127\.0\.0\.1:9\/cli cannot be reached/),
    expect.stringMatching(/^ {2}build with Go: there is no "go" on PATH/),
    'Any one of these helps:',
    expect.stringContaining('TEMPORAL_CLI_PATH'),
    expect.stringContaining('https://go.dev/dl'),
    expect.stringContaining('TEMPORAL_ADDRESS'),
  ])
})

test('a cache that cannot be written is told as the reason', async () => {
  await writeFile(join(home, 'cache'), '')
  await expect(resolve()).rejects.toThrow(/download: the cache cannot be written \(ENOTDIR/)
})
