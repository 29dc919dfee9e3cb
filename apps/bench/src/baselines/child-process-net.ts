import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findSeats } from '../core.js'
import { type Messages, messagesOf, type PayloadName } from '../payloads.js'
import { type Batch, type Session, streamed, timed } from '../session.js'
import type { Baseline } from './baseline.js'
import { framed, onFrames } from './net-frames.js'
import { pathOf, sessionOf } from './raw-process.js'

/** Two processes and a socket, with a length before each message. */
export const netLoop: Baseline = {
  name: 'net',
  description:
    'a bare spawn and a Unix socket: a u32 length and the bytes, write() until it says stop, then after drain',
  apart: true,
  async flood(name) {
    const messages = messagesOf(name)
    const { socket, session } = await start('flood', name)
    return session(count => {
      const received = receive(socket, messages, count)
      order(socket, count)
      return received
    })
  },
  async echo(name) {
    const messages = messagesOf(name)
    const { socket, session } = await start('echo', name)
    return session(count => trips(socket, messages, count))
  },
  hello: null,
}

export async function start(act: 'flood' | 'echo', name: PayloadName, file = './net-process.js') {
  const folder = mkdtempSync(join(tmpdir(), 'bench-net-'))
  const path = join(folder, 'socket')
  const connected = new Promise<Socket>((resolve, reject) => {
    const server = createServer(socket => {
      server.close()
      resolve(socket)
    })
    server.once('error', reject)
    server.listen(path, () => {
      const core = findSeats()?.child
      const args = [pathOf(file), act, path, name, ...(core === undefined ? [] : [String(core)])]
      child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    })
  })
  let child!: ReturnType<typeof spawn>
  const socket = await connected
  rmSync(folder, { recursive: true })
  socket.on('error', () => {}) // its end is told by the child's
  const session = (run: Session['run']) => sessionOf(child, run, () => socket.end())
  return { socket, session }
}

export function order(socket: Socket, count: number): void {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeUInt32LE(count)
  socket.write(framed(bytes))
}

function receive(socket: Socket, { check }: Messages, count: number): Promise<Batch> {
  return new Promise((resolve, reject) => {
    let sequence = 0
    let first = 0
    const stop = onFrames(socket, bytes => {
      try {
        check(bytes, sequence)
      } catch (error) {
        stop()
        return reject(error)
      }
      if (sequence === 0) first = performance.now()
      if (++sequence < count) return
      stop()
      resolve(streamed(performance.now() - first, count))
    })
  })
}

function trips(socket: Socket, { make, check }: Messages, count: number): Promise<Batch> {
  return new Promise((resolve, reject) => {
    const latencies = new Float64Array(count)
    let sequence = 0
    let before = 0
    const send = () => {
      const value = make(sequence)
      socket.write(framed(value instanceof ArrayBuffer ? new Uint8Array(value) : (value as Uint8Array)))
    }
    const stop = onFrames(socket, bytes => {
      try {
        check(bytes, sequence)
      } catch (error) {
        stop()
        return reject(error)
      }
      const now = performance.now()
      latencies[sequence] = now - before
      before = now
      if (++sequence < count) return send()
      stop()
      resolve(timed(latencies))
    })
    before = performance.now()
    send()
  })
}
