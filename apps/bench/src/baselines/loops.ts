import type { Messages } from '../payloads.js'
import { type Batch, streamed, timed } from '../session.js'

/** Calls `take` for each message that comes. The function that it gives stops that. */
export type Listen = (take: (message: unknown) => void) => () => void

interface MessageEmitter {
  on(event: 'message', listener: (message: unknown) => void): unknown
  off(event: 'message', listener: (message: unknown) => void): unknown
}

/** Listens to the messages of a Worker, a MessagePort or a ChildProcess. */
export function messagesFrom(emitter: MessageEmitter): Listen {
  return take => {
    emitter.on('message', take)
    return () => emitter.off('message', take)
  }
}

/** Checks `count` messages as they come; the clock runs from the first to the last. */
export async function receiveFlood(listen: Listen, { check }: Messages, count: number): Promise<Batch> {
  let first = 0
  await taken(listen, count, (message, sequence) => {
    check(message, sequence)
    if (sequence === 0) first = performance.now()
  })
  return streamed(performance.now() - first, count)
}

/** Makes `count` round trips; each starts in the listener that took the last one's message. */
export async function roundTrips(
  listen: Listen,
  send: (message: unknown) => void,
  { make, check }: Messages,
  count: number,
): Promise<Batch> {
  const latencies = new Float64Array(count)
  let before = performance.now()
  const all = taken(listen, count, (message, sequence) => {
    check(message, sequence)
    const now = performance.now()
    latencies[sequence] = now - before
    before = now
    if (sequence + 1 < count) send(make(sequence + 1))
  })
  send(make(0))
  await all
  return timed(latencies)
}

/** Resolves when `count` messages were taken, rejects with what `take` throws. */
function taken(listen: Listen, count: number, take: (message: unknown, sequence: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let sequence = 0
    const stop = listen(message => {
      try {
        take(message, sequence++)
      } catch (error) {
        stop()
        return reject(error)
      }
      if (sequence < count) return
      stop()
      resolve()
    })
  })
}
