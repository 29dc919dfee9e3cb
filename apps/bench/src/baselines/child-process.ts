import { fork } from 'node:child_process'
import { findSeats } from '../core.js'
import { CheckError, messagesOf, type PayloadName } from '../payloads.js'
import type { Session } from '../session.js'
import type { Baseline } from './baseline.js'
import { messagesFrom, receiveFlood, roundTrips } from './loops.js'
import { netPair, packedLoop } from './net-loop.js'
import { pathOf, sessionOf } from './raw-process.js'

const packed: Baseline = { ...packedLoop('inherits', 'a pair of Unix sockets'), hello: null }

/** A bare `fork` and `process.send`, for small messages. For larger ones one would write to a socket: its reader gets them faster. */
export const childProcess: Baseline = {
  name: 'process.send',
  description: "a bare fork: process.send in a loop, a listener for messages, serialization 'advanced'",
  apart: true,
  instead: {
    record: packed,
    string: packed,
    numbers: packed,
    '4KiB': netPair,
    '64KiB': netPair,
    '1MiB': netPair,
    mixed: netPair,
    '1MiB-transfer': netPair,
  },
  async flood(name) {
    const messages = messagesOf(name)
    const { child, session } = startProcess('./flood-process.js', name)
    return session(count => {
      const received = receiveFlood(messagesFrom(child), messages, count)
      child.send(count)
      return received
    })
  },
  async echo(name) {
    const messages = messagesOf(name)
    const { child, session } = startProcess('./echo-process.js', name)
    const send = (message: unknown) => void child.send(message as never)
    return session(count => roundTrips(messagesFrom(child), send, messages, count))
  },
  async hello() {
    const before = performance.now()
    const child = fork(pathOf('./hello-process.js'), { execArgv: [], serialization: 'advanced' })
    const exited = new Promise(resolve => child.once('exit', resolve))
    const answer = await new Promise((resolve, reject) => {
      child.once('message', resolve)
      exited.then(code => reject(new CheckError(`the raw process ended with exit code ${code} before its message`)))
    })
    const latency = performance.now() - before
    if (answer !== 'hello') throw new CheckError(`expected 'hello' from the raw process, got '${answer}'`)
    await exited
    return latency
  },
}

function startProcess(file: string, payload: PayloadName) {
  const core = findSeats()?.child
  const args = [payload, ...(core === undefined ? [] : [String(core)])]
  const child = fork(pathOf(file), args, { execArgv: [], serialization: 'advanced' })
  const session = (run: Session['run']) => sessionOf(child, run, () => child.disconnect())
  return { child, session }
}
