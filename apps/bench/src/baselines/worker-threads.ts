import { Worker } from 'node:worker_threads'
import { CheckError, messagesOf, type PayloadName } from '../payloads.js'
import { spin } from '../spin.js'
import type { Baseline } from './baseline.js'
import { firstMessage, receiveFlood, roundTrips } from './post.js'

/** A bare `new Worker` and `postMessage`. */
export const workerThreads: Baseline = {
  name: 'postMessage',
  description: 'a bare Worker: postMessage in a loop, a listener for messages, structured clone',
  async flood(name) {
    const messages = messagesOf(name)
    const { worker, during, end } = startWorker('./flood-worker.js', name)
    return {
      run(count) {
        const received = receiveFlood(worker, messages, count)
        worker.postMessage(count)
        return during(received)
      },
      close: () => end(0),
    }
  },
  async echo(name) {
    const messages = messagesOf(name)
    const { worker, during, end } = startWorker('./echo-worker.js', name)
    return {
      async ready() {
        worker.postMessage(true)
        spin()
      },
      run: count => during(roundTrips(worker, messages, count)),
      close: () => end(null),
    }
  },
  async hello() {
    const before = performance.now()
    const worker = new Worker(new URL('./hello-worker.js', import.meta.url))
    // Listened to from the start: Node may emit the last message and 'exit' in one go, before any promise continues.
    const exited = new Promise(resolve => worker.once('exit', resolve))
    const answer = await firstMessage(worker)
    const latency = performance.now() - before
    if (answer !== 'hello') throw new CheckError(`expected 'hello' from the raw worker, got '${answer}'`)
    await exited
    return latency
  },
}

function startWorker(file: string, payload: PayloadName) {
  const worker = new Worker(new URL(file, import.meta.url), { workerData: payload })
  const exited = new Promise<number>(resolve => worker.once('exit', resolve))
  const lost = new Promise<never>((_resolve, reject) => {
    worker.once('error', reject)
    exited.then(code => reject(new Error(`a raw worker ended with exit code ${code} while its messages were awaited`)))
  })
  lost.catch(() => {}) // seen by `during`, where somebody waits
  return {
    worker,
    during: <T>(work: Promise<T>) => Promise.race([work, lost]),
    async end(order: unknown) {
      worker.postMessage(order)
      const code = await exited
      if (code !== 0) throw new Error(`a raw worker ended with exit code ${code}`)
    },
  }
}
