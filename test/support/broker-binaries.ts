import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

// broker-binaries.ts: real brokers for tests: found, or installed by root where the system has packages.

export type BrokerName = 'mosquitto' | 'rabbitmq-server'

const PLACES: Readonly<Record<BrokerName, readonly string[]>> = {
  mosquitto: ['/usr/sbin/mosquitto', '/usr/bin/mosquitto', '/opt/homebrew/sbin/mosquitto', '/usr/local/sbin/mosquitto'],
  // Not the one on PATH: that changes the user.
  'rabbitmq-server': ['/usr/lib/rabbitmq/bin/rabbitmq-server', '/opt/homebrew/sbin/rabbitmq-server'],
}

const find = (name: BrokerName): string | undefined => PLACES[name].find((path) => existsSync(path))

/** The program, or the sentence that says what to do. */
export const provideBroker = async (name: BrokerName): Promise<{ program: string } | { missing: string }> => {
  const found = find(name)
  if (found !== undefined) return { program: found }
  const reason = await install(name)
  const program = find(name)
  return program === undefined ? { missing: `no ${name} on this machine (${reason})` } : { program }
}

const POLICY = '/usr/sbin/policy-rc.d'

const install = async (name: BrokerName): Promise<string> => {
  const wayOut = `install it: apt-get install ${name}, or brew install ${name.replace('-server', '')}`
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return wayOut
  const apt = (...args: string[]) =>
    promisify(execFile)('apt-get', ['-qq', '-y', '--no-install-recommends', ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      timeout: 300_000,
    })
  // The packages would start servers of their own, which nobody asked for.
  const isOurs = await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { flag: 'wx', mode: 0o755 }).then(
    () => true,
    () => false,
  )
  try {
    await apt('install', name).catch(async () => {
      await apt('update')
      await apt('install', name)
    })
    return 'its package has no server'
  } catch (error) {
    return `apt-get failed: ${(error as Error).message.trim().split('\n').at(-1)}; ${wayOut}`
  } finally {
    if (isOurs) await rm(POLICY, { force: true })
  }
}
