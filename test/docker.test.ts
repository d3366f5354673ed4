import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { ENGINE_COMMANDS } from '../src/cli/commands-engine.ts'
import { readConfig } from '../src/config.ts'
import { CONFIG_VARIABLES } from '../src/config/settings.ts'
import { TEMPORAL_SERVER_VERSION } from '../src/engine/temporal-release.ts'

const root = resolve(import.meta.dirname, '..')
const read = (path: string) => readFileSync(resolve(root, path), 'utf8')

interface Service {
  readonly image?: string
  readonly build?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly restart?: string
  readonly stop_grace_period?: string
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
  readonly configs: Readonly<Record<string, { readonly content: string }>>
}

const text = read('docker-compose.yml')
const compose = parse(text, { merge: true }) as Compose
const services = Object.entries(compose.services)
const service = (name: string): Service => {
  const found = compose.services[name]
  if (found === undefined) throw new Error(`docker-compose.yml has no service "${name}"`)
  return found
}

/** `${NAME:-standard}` as compose fills it in. */
const fill = (value: string, env: Readonly<Record<string, string>> = {}) =>
  value.replace(
    /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_all, name: string, kind?: string, rest?: string) => env[name] ?? (kind === '-' ? (rest ?? '') : ''),
  )

describe('docker-compose.yml', () => {
  // The schema of the Compose Specification as compose-go 2.10 ships it.
  const { $schema: _, ...schema } = JSON.parse(read('test/fixtures/compose-spec.json')) as Record<string, unknown>
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema)

  test('is valid by the schema of the Compose Specification', () => {
    expect(validate(compose), JSON.stringify(validate.errors)).toBe(true)
  })

  test('would not be valid with a misspelt key', () => {
    expect(
      validate({ ...compose, services: { ...compose.services, worker: { ...service('worker'), enviroment: {} } } }),
    ).toBe(false)
  })

  test('brings up PostgreSQL, Temporal, its UI, a worker and the API', () => {
    expect(Object.keys(compose.services)).toEqual(
      expect.arrayContaining(['postgresql', 'temporal', 'temporal-ui', 'worker', 'api']),
    )
  })

  test('has no password in it, and refuses to start without one', () => {
    const secrets = services.flatMap(([, { environment = {} }]) =>
      Object.entries(environment).filter(([name]) => /PASSWORD|PWD|TOKEN|SECRET/.test(name)),
    )
    expect(secrets.length).toBeGreaterThan(0)
    for (const [, value] of secrets) expect(value).toMatch(/^\$\{POSTGRES_PASSWORD:\?.+\}$/)
  })

  test('shares records between worker and API by the database alone, and refuses to start without the key', () => {
    for (const name of ['worker', 'api']) {
      expect(service(name).environment).toMatchObject({
        SOP_DATABASE_URL: 'postgresql://temporal@postgresql:5432/sop',
        SOP_INSTALLATION_KEY: expect.stringMatching(/^\$\{SOP_INSTALLATION_KEY:\?.+\}$/),
      })
      expect(service(name).depends_on).toHaveProperty('sop-database')
    }
    // Workers can be scaled: each has a data directory of its own.
    expect(service('worker').volumes?.filter((volume) => volume.endsWith('/data'))).toEqual(['/data'])
    expect(service('sop-database').command?.join()).toMatch(/createdb --encoding UTF8 .*sop/)
  })

  test('publishes every port on this machine only', () => {
    const ports = services.flatMap(([, { ports: published = [] }]) => published)
    expect(ports.length).toBeGreaterThan(0)
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
  })

  test('says of every service how it is healthy, or that it comes to an end, or why neither', () => {
    const without = services.filter(
      ([, { healthcheck, restart }]) => healthcheck === undefined && restart !== 'on-failure:5',
    )
    // The worker has no port; it ends when it fails.
    expect(without.map(([name]) => name)).toEqual(['worker'])
  })

  test('waits only for services that it has, and for health only where it is checked', () => {
    for (const [, { depends_on: needed = {} }] of services) {
      for (const [name, { condition }] of Object.entries(needed)) {
        const other = service(name)
        if (condition === 'service_healthy') expect(other.healthcheck, name).toBeDefined()
        else expect([condition, other.restart]).toEqual(['service_completed_successfully', 'on-failure:5'])
      }
    }
  })

  test('keeps what must survive in volumes that it declares', () => {
    const named = services
      .flatMap(([, { volumes = [] }]) => volumes.map((volume) => fill(volume).split(':')[0] ?? ''))
      .filter((source) => !/^[./]/.test(source))
    expect([...new Set(named)].sort()).toEqual(Object.keys(compose.volumes).sort())
    expect(service('postgresql').volumes).toContain('postgresql-data:/var/lib/postgresql/data')
    expect(service('api').volumes).toContain('engine-data:/data')
  })

  test('uses the Temporal that the engine is tested with, and no moving tags', () => {
    for (const name of ['temporal', 'temporal-schema', 'temporal-namespace']) {
      expect(fill(service(name).image ?? '')).toMatch(new RegExp(`:${TEMPORAL_SERVER_VERSION.replaceAll('.', '\\.')}$`))
    }
    for (const [, { image = '' }] of services) expect(fill(image)).toMatch(/:(local|[\d.]+[\w.-]*)$/)
  })

  test.each(['worker', 'api'])('gives %s only settings that the engine knows, and values that it accepts', (name) => {
    const environment = service(name).environment ?? {}
    expect(Object.keys(environment).filter((variable) => !CONFIG_VARIABLES.includes(variable))).toEqual([])
    const env = Object.fromEntries(Object.entries(environment).map(([variable, value]) => [variable, fill(value)]))
    const { config, problems } = readConfig({ env, cwd: '/home/node', readFile: () => undefined })
    expect(problems).toEqual([])
    expect(config).toMatchObject({
      dataDir: '/data',
      sopDir: '/sops',
      store: 'postgres',
      temporal: { address: 'temporal:7233' },
    })
  })

  test('publishes the port on which the API listens', () => {
    const { environment = {}, ports = [] } = service('api')
    expect(ports.map((port) => port.split(':').at(-1))).toEqual([environment['SOP_API_PORT']])
    expect(service('api').healthcheck?.test.join(' ')).toContain(`:${environment['SOP_API_PORT']}/`)
  })

  test.each(['worker', 'api'])('starts %s with a command that there is', (name) => {
    const [verb = '', ...flags] = service(name).command ?? []
    const command = ENGINE_COMMANDS.find((known) => known.name === verb)
    expect(command, verb).toBeDefined()
    const known = (command?.options ?? []).map((option) => option.flags.split(/[ ,]+/)[0])
    expect(flags.filter((flag) => !known.includes(flag))).toEqual([])
  })

  test('gives steps time to end when it stops the worker', () => {
    const { config } = readConfig({ env: {}, cwd: '/', readFile: () => undefined })
    expect(Number.parseInt(service('worker').stop_grace_period ?? '', 10) * 1000).toBeGreaterThan(
      config.shutdownGraceMs + config.killGraceMs,
    )
  })

  test("configures Temporal in Temporal's own terms", () => {
    const settings = parse(compose.configs['temporal-dynamic-config']?.content ?? '') as Record<
      string,
      readonly { value: unknown }[]
    >
    expect(settings['activity.enableStandalone']).toEqual([{ value: false }])
    for (const values of Object.values(settings)) expect(values[0]).toHaveProperty('value')
  })

  test('names in .env.example are those that it uses', () => {
    const names = [...read('.env.example').matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name ?? '')
    const used = new Set([...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name))
    expect(names).toContain('POSTGRES_PASSWORD')
    expect(names.filter((name) => !used.has(name))).toEqual([])
  })
})

describe('Dockerfile', () => {
  const lines = read('Dockerfile')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  const instructions = lines.map((line) => ({
    name: line.split(' ')[0] ?? '',
    rest: line.slice(line.indexOf(' ') + 1),
  }))
  const last = instructions.slice(instructions.findLastIndex(({ name }) => name === 'FROM'))

  test('runs as a user without rights, on a system that Temporal has a native part for', () => {
    expect(last.find(({ name }) => name === 'USER')?.rest).toBe('node')
    for (const { rest } of instructions.filter(({ name }) => name === 'FROM'))
      expect(rest).toMatch(/^node:\d+-bookworm-slim/)
  })

  test('copies only what is there and what .dockerignore lets through', () => {
    const sources = instructions
      .filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from'))
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1))
    const ignore = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    expect(ignore[0]).toBe('*')
    for (const source of sources) {
      expect(existsSync(resolve(root, source)), source).toBe(true)
      expect(ignore).toContain(`!${source}`)
    }
  })

  test('sends neither secrets nor the past of the repository to the builder', () => {
    const through = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
    for (const line of through) expect(line).not.toMatch(/\.env|\.git|\.sop|node_modules|^!\*|^!\.$/)
  })

  test('keeps only the native part of its own platform, by the name that it has', () => {
    const kept = /! -name "\$\(uname -m\)-([\w-]+)"/.exec(read('Dockerfile'))?.[1]
    for (const machine of ['x86_64', 'aarch64']) {
      expect(existsSync(resolve(root, 'node_modules/@temporalio/core-bridge/releases', `${machine}-${kept}`))).toBe(
        true,
      )
    }
  })

  test('sets only variables that the engine knows', () => {
    const names = instructions
      .filter(({ name }) => name === 'ENV')
      .flatMap(({ rest }) => [...rest.matchAll(/(\w+)=/g)].map(([, name]) => name ?? ''))
    expect(names.filter((name) => name !== 'NODE_ENV' && !CONFIG_VARIABLES.includes(name))).toEqual([])
  })

  test('links the command to the file that package.json names', () => {
    const { bin } = JSON.parse(read('package.json')) as { bin: Record<string, string> }
    expect(read('Dockerfile')).toContain(`ln -s /app/${bin['sop']} /usr/local/bin/sop`)
  })
})
