import { Worker } from 'node:worker_threads'
import { findSeats, sit, standUp } from '../core.js'
import { CheckError, messagesOf, type PayloadName } from '../payloads.js'
import type { Session } from '../session.js'
import type { Baseline } from './baseline.js'
import { messagesFrom, receiveFlood, roundTrips } from './loops.js'

/** A bare `new Worker` and `postMessage`. */
export const workerThreads: Baseline = {
  name: 'postMessage',
  description: 'a bare Worker: postMessage in a loop, a listener for messages, structured clone',
  apart: true,
  async flood(name) {
    const messages = messagesOf(name)
    const { worker, session } = startWorker('./flood-worker.js', name, 0)
    return session(count => {
      const received = receiveFlood(messagesFrom(worker), messages, count)
      worker.postMessage(count)
      return received
    })
  },
  async echo(name) {
    const messages = messagesOf(name)
    const { worker, session } = startWorker('./echo-worker.js', name, null)
    const send = (message: unknown) => worker.postMessage(message)
    return session(count => roundTrips(messagesFrom(worker), send, messages, count))
  },
  async hello() {
    const before = performance.now()
    const worker = new Worker(new URL('./hello-worker.js', import.meta.url))
    // There is a listener from the start: Node may emit the last message and 'exit' in one turn, before any promise continues.
    const exited = new Promise(resolve => worker.once('exit', resolve))
    const answer = await firstMessage(worker)
    const latency = performance.now() - before
    if (answer !== 'hello') throw new CheckError(`expected 'hello' from the raw worker, got '${answer}'`)
    await exited
    return latency
  },
}

/** `last`: the message that ends the worker. */
function startWorker(file: string, payload: PayloadName, last: number | null) {
  const seats = findSeats()
  const worker = new Worker(new URL(file, import.meta.url), { workerData: { payload, core: seats?.child ?? null } })
  const exited = new Promise<number>(resolve => worker.once('exit', resolve))
  const lost = new Promise<never>((_resolve, reject) => {
    worker.once('error', reject)
    exited.then(code => reject(new Error(`a raw worker ended with exit code ${code} while its messages were awaited`)))
  })
  lost.catch(() => {}) // `run` tells it to whoever waits
  const session = (run: Session['run']): Session => ({
    ready: sit,
    run: count => Promise.race([run(count), lost]),
    async close() {
      standUp()
      worker.postMessage(last)
      const code = await exited
      if (code !== 0) throw new Error(`a raw worker ended with exit code ${code}`)
    },
  })
  return { worker, session }
}

/** Resolves with the first message; rejects if the worker fails before. */
function firstMessage(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', code =>
      reject(new CheckError(`the raw worker ended with exit code ${code} before its message`)),
    )
  })
}
