import type { Socket } from 'node:net'
import { pack, unpack } from 'msgpackr'
import { type Messages, messagesOf } from '../payloads.js'
import { type Batch, streamed, timed } from '../session.js'
import type { Baseline } from './baseline.js'
import { childProcess } from './child-process.js'
import { netLoop, order, start } from './child-process-net.js'
import { framed, onFrames } from './net-frames.js'

/** Two processes, a Unix socket, and msgpackr: what one would write by hand for objects. Bytes need no msgpackr. */
export const unixSocket: Baseline = {
  name: 'net + msgpackr',
  description: 'a bare spawn and a Unix socket: a u32 length and msgpackr, 500 messages a write()',
  apart: true,
  instead: { '64B': netLoop, '64KiB': netLoop, '1MiB': netLoop, '1MiB-transfer': netLoop },
  async flood(name) {
    const messages = messagesOf(name)
    const { socket, session } = await start('flood', name, './net-packed-process.js')
    return session(count => {
      const received = receive(socket, messages, count)
      order(socket, count)
      return received
    })
  },
  async echo(name) {
    const messages = messagesOf(name)
    const { socket, session } = await start('echo', name, './net-packed-process.js')
    return session(count => trips(socket, messages, count))
  },
  hello: childProcess.hello,
}

function receive(socket: Socket, { check }: Messages, count: number): Promise<Batch> {
  return new Promise((resolve, reject) => {
    let sequence = 0
    let first = 0
    const stop = onFrames(socket, bytes => {
      try {
        check(unpack(bytes), sequence)
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
    const send = () => socket.write(framed(pack(make(sequence))))
    const stop = onFrames(socket, bytes => {
      try {
        check(unpack(bytes), sequence)
      } catch (error) {
        stop()
        return reject(error)
      }
      const now = performance.now()
      latencies[sequence] = now - before
      before = now
      if (++sequence < count) return void send()
      stop()
      resolve(timed(latencies))
    })
    before = performance.now()
    send()
  })
}
