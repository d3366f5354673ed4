import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

/** Whether this process could listen on a port of loopback now; otherwise the system's code, such as EADDRINUSE. */
export async function probePort(port: number): Promise<{ readonly port: number } | { readonly code: string }> {
  const server = createServer()
  try {
    server.listen({ port, host: '127.0.0.1', exclusive: true })
    await once(server, 'listening')
    return { port: (server.address() as AddressInfo).port }
  } catch (error) {
    return { code: (error as NodeJS.ErrnoException).code ?? 'unknown' }
  } finally {
    server.close()
  }
}

/** A port of loopback that is free now. Another program may take it before it is used: try again then. */
export async function findFreePort(): Promise<number> {
  const found = await probePort(0)
  if ('port' in found) return found.port
  throw new Error(`Cannot find a free port: ${found.code}`)
}

/** Whether something accepts connections there. */
export async function isListening(port: number, timeoutMs = 1_000): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1', timeout: timeoutMs })
  try {
    await Promise.race([
      once(socket, 'connect'),
      once(socket, 'timeout').then(() => Promise.reject(new Error('timeout'))),
    ])
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
