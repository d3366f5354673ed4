import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, inject, onTestFinished, test } from 'vitest'
import { connectNative } from '../../src/engine/native-connection.ts'
import { freePorts } from '../../scripts/free-port.mjs'

const targetAt = (port: number) => {
  const address = `127.0.0.1:${port}`
  return { address, connectionOptions: { address } }
}

test('a server that is away for a moment while an engine comes up is waited for', async () => {
  const [host = '', to = ''] = inject('temporalAddress').split(':')
  const sockets = new Set<Socket>()
  let calls = 0
  const door = createServer((from) => {
    sockets.add(from.on('error', () => {}))
    calls += 1
    // The server ends as it is called, and is there again the next time.
    if (calls === 1) return from.destroy()
    const on = connect(Number(to), host).on('error', () => {})
    sockets.add(on)
    from.pipe(on).pipe(from)
  })
  door.listen(0, '127.0.0.1')
  await once(door, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    door.close()
  })
  const connection = await connectNative(targetAt((door.address() as AddressInfo).port))
  await connection.close()
  expect(calls).toBe(2)
})

test('a server that does not come back is told as such', async () => {
  const [port = 0] = await freePorts(1)
  await expect(connectNative(targetAt(port), 300)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining(`Cannot reach Temporal at "127.0.0.1:${port}" any more: `),
  })
})
