import type { SopClient } from '../../../src/client/client.ts'
import type { TokenClient } from '../../../src/client/http.ts'
import { createCli } from '../../../src/cli/cli.ts'
import type { CommandSpec } from '../../../src/cli/command.ts'
import type { Ports } from '../../../src/cli/ports.ts'
import { type FakeIo, type FakeIoOptions, createFakeIo } from './fake-io.ts'
import { type Call, createFakeClient, createFakePorts } from './fake-ports.ts'

export interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
  readonly calls: readonly Call[]
  readonly io: FakeIo
  /** Standard output as JSON. */
  readonly json: () => unknown
}

export interface World extends FakeIoOptions {
  /** What the engine does; absent: there is none. */
  readonly engine?: { readonly [K in keyof (SopClient & TokenClient)]?: (SopClient & TokenClient)[K] }
  readonly ports?: { readonly [K in keyof Ports]?: Ports[K] }
  /** One of the `sop-*` commands instead of `sop`. */
  readonly only?: CommandSpec
  /** Gets the terminal before the command begins. */
  readonly onIo?: (io: FakeIo) => void
}

/** Carries out one command line in this process. */
export const sop = async (argv: readonly string[], world: World = {}): Promise<Outcome> => {
  const io = createFakeIo(world)
  world.onIo?.(io)
  const { client, calls } = createFakeClient(world.engine ?? {})
  const ports = createFakePorts(world.engine === undefined ? undefined : client, world.ports)
  const code = await createCli({ io, ports }, world.only).run(argv)
  return { code, out: io.stdout(), err: io.stderr(), calls, io, json: () => JSON.parse(io.stdout()) as unknown }
}
