import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pack, unpack } from 'msgpackr'
import { findSeats } from '../core.js'
import { messagesOf, type PayloadName } from '../payloads.js'
import type { Session } from '../session.js'
import type { Baseline } from './baseline.js'
import { type Listen, receiveFlood, roundTrips } from './loops.js'
import { framed, INHERITED, onFrames } from './net-frames.js'
import { pathOf, sessionOf } from './raw-process.js'

/** How messages are written and read. */
interface Form {
  /** What the child runs. */
  readonly file: string
  pack(value: unknown): Uint8Array
  unpack(bytes: Uint8Array): unknown
}

/** How the child gets its socket, like the transport's child: it inherits one of a pair, or connects to a path. */
type Way = 'inherits' | 'connects'

const bytesAsTheyAre: Form = {
  file: './net-process.js',
  pack: value => (value instanceof ArrayBuffer ? new Uint8Array(value) : (value as Uint8Array)),
  unpack: bytes => bytes,
}

/** Two processes and a socket, with a length before each message. */
function netLoop(form: Form, way: Way): Pick<Baseline, 'apart' | 'flood' | 'echo'> {
  return {
    apart: true,
    async flood(name) {
      const messages = messagesOf(name)
      const { socket, session } = await start(form, way, 'flood', name)
      return session(count => {
        const received = receiveFlood(framesOf(socket, form), messages, count)
        order(socket, count)
        return received
      })
    },
    async echo(name) {
      const messages = messagesOf(name)
      const { socket, session } = await start(form, way, 'echo', name)
      const send = (message: unknown) => void socket.write(framed(form.pack(message)))
      return session(count => roundTrips(framesOf(socket, form), send, messages, count))
    },
  }
}

function bytesLoop(way: Way, socket: string): Baseline {
  return {
    name: 'net',
    description: `a bare spawn and ${socket}: a u32 length and the bytes, corked up to 64 KiB, and drained before more`,
    ...netLoop(bytesAsTheyAre, way),
    hello: null,
  }
}

/** For objects one would pack them with msgpackr, on whichever socket. */
export function packedLoop(way: Way, socket: string): Omit<Baseline, 'hello'> {
  return {
    name: 'net + msgpackr',
    description: `a bare spawn and ${socket}: a u32 length and msgpackr, 500 messages or 64 KiB a write()`,
    ...netLoop({ file: './net-packed-process.js', pack, unpack }, way),
  }
}

export const netPair = bytesLoop('inherits', 'a pair of Unix sockets')
export const netPath = bytesLoop('connects', 'a Unix socket')

async function start({ file }: Form, way: Way, act: 'flood' | 'echo', name: PayloadName) {
  const core = findSeats()?.child
  const run = (where: string, stdio: 'ignore' | 'pipe') => {
    const args = [pathOf(file), act, where, name, ...(core === undefined ? [] : [String(core)])]
    return spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', stdio] })
  }
  const { child, socket } = way === 'inherits' ? inheriting(run) : await connecting(run)
  socket.on('error', () => {}) // the child's exit tells of it
  const session = (work: Session['run']) => sessionOf(child, work, () => socket.end())
  return { socket, session }
}

type Run = (where: string, stdio: 'ignore' | 'pipe') => ChildProcess

function inheriting(run: Run): { child: ChildProcess; socket: Socket } {
  const child = run(INHERITED, 'pipe')
  return { child, socket: child.stdio[3] as Socket }
}

async function connecting(run: Run): Promise<{ child: ChildProcess; socket: Socket }> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-net-'))
  const path = join(folder, 'socket')
  let child!: ChildProcess
  const socket = await new Promise<Socket>((resolve, reject) => {
    const server = createServer(connected => {
      server.close()
      resolve(connected)
    })
    server.once('error', reject)
    server.listen(path, () => {
      child = run(path, 'ignore')
    })
  })
  rmSync(folder, { recursive: true })
  return { child, socket }
}

function framesOf(socket: Socket, { unpack }: Form): Listen {
  return take => onFrames(socket, bytes => take(unpack(bytes)))
}

function order(socket: Socket, count: number): void {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32LE(count)
  socket.write(framed(bytes))
}
