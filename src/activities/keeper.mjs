// keeper.mjs SPOOL TOKEN: starts the commands of one worker and keeps what comes of them, in the folder SPOOL.
//
// A process of its own, because (1) starting a process costs the more the larger the one is that starts it, and a worker is
// large; (2) it outlives a worker that was killed, so that the commands go on and their ends are known. It takes one JSON
// message a line from its stdin and says what happens on its stdout; when its stdin ends it takes no more, waits until its
// last command is over, and ends. Plain JavaScript on a few modules of Node, since it is never more than a pipe.
//
// An entry is the folder of one command: `pipe` (its stdout and stderr), `out` (what came through it), `status` (lines: what
// happened), `vars` (its $SOP_OUTPUT), `read` (how much of `out` its reader has taken, and more that the reader needs).

import { execFile, spawn } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rm,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** Output that nobody has read yet; a command that has written more waits. */
const UNREAD_LIMIT = 256 * 2 ** 20
/** Output after which it is looked how far the reader has come, and room is given back. */
const LOOK_BYTES = 16 * 2 ** 20
const BLOCK = 4096
const RETRY_MS = 20
const NO_ROOM_MS = 500
const NO_ROOM = ['ENOSPC', 'EDQUOT', 'EAGAIN']

const [spool = '', token = ''] = process.argv.slice(2)
/** @type {Map<string, Socket>} */
const pumps = new Map()
/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set()
/** Entries that were made and have not begun. @type {Set<string>} */
const fresh = new Set()
let isAlone = false
let mayPunch = process.platform === 'linux'
let made = 0

/** @param {string} entry @param {string} name */
const pathOf = (entry, name) => join(spool, entry, name)

/** @param {object} message */
const say = (message) => {
  if (!isAlone) process.stdout.write(`${JSON.stringify(message)}\n`)
}

/** One line of the entry's status; written by one call, so that it is whole or not there. @param {string} entry @param {string} line */
const note = (entry, line) => {
  try {
    const fd = openSync(pathOf(entry, 'status'), constants.O_WRONLY | constants.O_APPEND)
    try {
      writeSync(fd, `${line}\n`)
    } finally {
      closeSync(fd)
    }
  } catch {
    // The folder was taken away: nobody asks any more.
  }
}

/** @param {string} entry @param {unknown} error */
const failed = (entry, error) => {
  const { code, message } = /** @type {NodeJS.ErrnoException} */ (error)
  note(entry, `failed ${JSON.stringify({ code, message })}`)
  say({ entry, failed: { code, message } })
}

/**
 * @typedef {{ readonly entry: string, readonly program: string, readonly args: readonly string[], readonly cwd: string,
 *   readonly env: Readonly<Record<string, string>>, readonly stdin?: string }} Start
 */

/** Begins a command. @param {Start} start */
const start = ({ entry, program, args, cwd, env, stdin }) => {
  fresh.delete(entry)
  /** @type {number[]} */
  const fds = []
  /** @param {string} path @param {number} flags */
  const opened = (path, flags) => {
    const fd = openSync(path, flags, 0o600)
    fds.push(fd)
    return fd
  }
  let out
  try {
    // Whoever makes this file decides whether the command begins: we, or somebody who has to know that it never will.
    out = openSync(
      pathOf(entry, 'out'),
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND,
      0o600,
    )
    const reader = openSync(pathOf(entry, 'pipe'), constants.O_RDONLY | constants.O_NONBLOCK)
    pump(entry, reader, out)
    const writer = opened(pathOf(entry, 'pipe'), constants.O_WRONLY)
    const input = stdin === undefined ? 'ignore' : opened(stdin, constants.O_RDONLY)
    // A group and session of its own: the whole of it can be ended by one number.
    const child = spawn(program, args, { cwd, env, stdio: [input, writer, writer], detached: true })
    if (child.pid === undefined) {
      child.once('error', (error) => failed(entry, error))
      return
    }
    note(entry, `began ${child.pid}`)
    say({ entry, began: child.pid })
    children.add(child)
    child.once('exit', (code, signal) => {
      children.delete(child)
      const ended = code === null ? { signal } : { code }
      note(entry, `ended ${JSON.stringify(ended)}`)
      say({ entry, ended })
      leaveIfDone()
    })
  } catch (error) {
    failed(entry, error)
  } finally {
    for (const fd of fds) closeSync(fd)
  }
}

/** @typedef {{ size: number, looked: number, punched: number }} Pumped what went through, was looked at, was given back */

/**
 * Takes what comes through the pipe to the file, and holds the writer back while the reader is far behind.
 * @param {string} entry @param {number} reader @param {number} out
 */
const pump = (entry, reader, out) => {
  const socket = new Socket({ fd: reader, readable: true, writable: false })
  /** @type {Pumped} */
  const state = { size: fstatSync(out).size, looked: 0, punched: 0 }
  pumps.set(entry, socket)
  const look = () => {
    const read = readOf(entry)
    punch(entry, state, read)
    if (state.size - read <= UNREAD_LIMIT) socket.resume()
    else setTimeout(look, RETRY_MS)
  }
  /** @param {Buffer} bytes */
  const write = (bytes) => {
    let rest = bytes
    try {
      while (rest.length > 0) {
        const count = writeSync(out, rest)
        state.size += count
        rest = rest.subarray(count)
      }
    } catch (error) {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error)
      if (code === undefined || !NO_ROOM.includes(code)) {
        socket.destroy()
        return
      }
      // The command waits until there is room again.
      socket.pause()
      setTimeout(write, NO_ROOM_MS, rest)
      return
    }
    if (socket.isPaused()) socket.resume()
    if (state.size - state.looked < LOOK_BYTES) return
    state.looked = state.size
    socket.pause()
    look()
  }
  socket.on('data', write)
  socket.on('error', () => {})
  socket.once('close', () => {
    pumps.delete(entry)
    closeSync(out)
    note(entry, 'drained')
    say({ entry, drained: true })
    leaveIfDone()
  })
}

/** How much of the output its reader has taken. @param {string} entry */
const readOf = (entry) => {
  try {
    return Number.parseInt(readFileSync(pathOf(entry, 'read'), 'latin1'), 10) || 0
  } catch {
    return 0
  }
}

/** Gives the room of what was read back, where the file system can. @param {string} entry @param {Pumped} state @param {number} read */
const punch = (entry, state, read) => {
  const end = read - (read % BLOCK)
  if (!mayPunch || end - state.punched < LOOK_BYTES) return
  const [from, length] = [state.punched, end - state.punched]
  state.punched = end
  execFile('fallocate', ['-p', '-o', String(from), '-l', String(length), pathOf(entry, 'out')], (error) => {
    if (error !== null && existsSync(pathOf(entry, 'out'))) mayPunch = false
  })
}

/** Goes on with the pipe of a command whose keeper died. @param {{ readonly entry: string }} message */
const takeOver = ({ entry }) => {
  if (pumps.has(entry)) return
  try {
    const out = openSync(pathOf(entry, 'out'), constants.O_WRONLY | constants.O_APPEND)
    const reader = openSync(pathOf(entry, 'pipe'), constants.O_RDONLY | constants.O_NONBLOCK)
    // A reader that never saw a writer is not told that there is none any more.
    const writer = openSync(pathOf(entry, 'pipe'), constants.O_WRONLY | constants.O_NONBLOCK)
    pump(entry, reader, out)
    closeSync(writer)
  } catch (error) {
    failed(entry, error)
  }
}

/** Makes entries ahead: making files may take longer than a short command. @param {{ readonly count: number }} message */
const stock = ({ count }) => {
  /** @type {string[]} */
  const names = []
  try {
    for (let i = 0; i < count; i++) {
      const name = `${process.pid}.${token}-${++made}`
      mkdirSync(join(spool, name), { recursive: true, mode: 0o700 })
      writeFileSync(pathOf(name, 'vars'), '', { flag: 'wx', mode: 0o600 })
      fresh.add(name)
      names.push(name)
    }
  } catch (error) {
    say({ noStock: String(error) })
    return
  }
  execFile('mkfifo', ['-m', '600', ...names.map((name) => pathOf(name, 'pipe'))], (error) =>
    say(error === null ? { stock: names } : { noStock: error.message }),
  )
}

/** @param {{ readonly entry: string }} message */
const remove = ({ entry }) => {
  fresh.delete(entry)
  pumps.get(entry)?.destroy()
  rm(join(spool, entry), { recursive: true, force: true }, () => {})
}

/** @param {{ readonly entry: string }} message */
const leave = ({ entry }) => pumps.get(entry)?.destroy()

/** @type {Readonly<Record<string, (message: never) => void>>} */
const VERBS = { start, stock, remove, takeOver, leave }

const leaveIfDone = () => {
  if (isAlone && pumps.size === 0 && children.size === 0) process.exit(0)
}

/** The worker is gone: what it asked for was begun already, since its messages came before the end. */
const goOnAlone = () => {
  isAlone = true
  for (const entry of fresh) {
    if (!existsSync(pathOf(entry, 'status'))) rmSync(join(spool, entry), { recursive: true, force: true })
  }
  // An entry that was taken away is one in whose output nobody is interested.
  setInterval(() => {
    for (const [entry, socket] of pumps) if (!existsSync(join(spool, entry))) socket.destroy()
    leaveIfDone()
  }, 1000)
  leaveIfDone()
}

// Whoever ends the worker's group or its whole session does not mean the commands; the worker ends those.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGPIPE']) process.on(signal, () => {})
process.stdout.on('error', () => {})
createInterface({ input: process.stdin })
  .on('line', (line) => {
    /** @type {unknown} */
    const said = JSON.parse(line)
    const { verb, ...message } = /** @type {{ readonly verb: string }} */ (said)
    VERBS[verb]?.(/** @type {never} */ (message))
  })
  .on('close', goOnAlone)
