import type { MessagePort, Worker } from 'node:worker_threads'
import { CheckError, type Messages } from '../payloads.js'
import { type Batch, streamed, timed } from '../session.js'

/** What a Worker and a MessagePort have in common. */
export type Post = Pick<Worker, 'postMessage' | 'on' | 'off'> | Pick<MessagePort, 'postMessage' | 'on' | 'off'>

/** Checks `count` messages as they come; the clock runs from the first to the last. */
export function receiveFlood(post: Post, { check }: Messages, count: number): Promise<Batch> {
  return new Promise((resolve, reject) => {
    let sequence = 0
    let first = 0
    const onMessage = (value: unknown) => {
      try {
        check(value, sequence)
      } catch (error) {
        post.off('message', onMessage)
        reject(error)
        return
      }
      if (sequence === 0) first = performance.now()
      sequence++
      if (sequence < count) return
      post.off('message', onMessage)
      resolve(streamed(performance.now() - first, count))
    }
    post.on('message', onMessage)
  })
}

/** `count` round trips, the next one starting in the handler of the last. */
export function roundTrips(post: Post, { make, check }: Messages, count: number): Promise<Batch> {
  return new Promise((resolve, reject) => {
    const latencies = new Float64Array(count)
    let sequence = 0
    let before = 0
    const onMessage = (value: unknown) => {
      try {
        check(value, sequence)
      } catch (error) {
        post.off('message', onMessage)
        reject(error)
        return
      }
      const now = performance.now()
      latencies[sequence] = now - before
      before = now
      sequence++
      if (sequence < count) {
        post.postMessage(make(sequence))
        return
      }
      post.off('message', onMessage)
      resolve(timed(latencies))
    }
    post.on('message', onMessage)
    before = performance.now()
    post.postMessage(make(0))
  })
}

/** Resolves with the first message; rejects when the worker fails before. */
export function firstMessage(worker: Worker): Promise<unknown> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', code =>
      reject(new CheckError(`the raw worker ended with exit code ${code} before its message`)),
    )
  })
}
