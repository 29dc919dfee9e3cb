import { setMaxListeners } from 'node:events'
import { ParentProcess } from '../context/parent-process.js'
import { Connection } from '../pipe/connection.js'
import { Process } from '../process/process.js'
import { Queue } from '../queue/queue.js'
import { Pending } from '../runtime/pending-call.js'
import { turn } from '../runtime/turn.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'

/** What `wait` waits for. Items and messages may have any type. */
export type Waitable =
  | Pick<Connection, 'poll' | 'readable' | 'closed'>
  | Pick<Queue, 'qsize' | 'empty' | 'full'>
  | Pick<Process, 'exited' | 'exitCode'>
  | ParentProcess
  | PromiseLike<unknown>

/**
 * Waits until one of `objects` is ready. Gives those that are ready, in their order; none when `timeout` ms pass first. Takes
 * nothing from them, and leaves nothing with them.
 */
export async function wait<T>(objects: Iterable<T>, options?: WaitOptions): Promise<T[]> {
  const limit = checkWait(options)
  if (typeof objects !== 'object' || objects === null || !(Symbol.iterator in objects)) {
    throw new TypeError('wait takes an array of what to wait for')
  }
  const all = Array.from(objects)
  const stop = new AbortController()
  // Node warns of more than ten listeners.
  setMaxListeners(0, stop.signal)
  const looks = all.map(each => lookAt(each))
  const ready = new Set<number>()
  const pending = new Pending<void>()
  const waits = looks.map((look, index) =>
    look(limit === 0, stop.signal).then(
      isReady => {
        if (!isReady) return
        ready.add(index)
        if (limit !== 0) pending.resolve()
      },
      error => pending.reject(error),
    ),
  )
  try {
    // One look at each, and no wait.
    if (limit === 0) void Promise.all(waits).then(() => pending.resolve())
    else
      pending.limit(
        options,
        () => pending.resolve(),
        () => {},
      )
    await pending.promise
    // Others may have become ready in the meantime.
    await turn()
  } finally {
    stop.abort()
  }
  return all.filter((_, index) => ready.has(index))
}

/** Whether the object is ready: `now`, or else once it is. False where `signal` aborts first. */
type Look = (now: boolean, signal: AbortSignal) => Promise<boolean>

function lookAt(object: unknown): Look {
  if (object instanceof Connection) return (now, signal) => object.poll(now ? 0 : null, { signal })
  if (object instanceof Queue) return (now, signal) => object.readable(now, signal)
  if (object instanceof Process || object instanceof ParentProcess) return settled(object.exited)
  if (isPromise(object)) return settled(object)
  throw new TypeError(
    `wait takes Connections, Queues, Processes and promises, not ${object === null ? 'null' : typeof object}`,
  )
}

/** Those who wait for a promise. A promise itself never forgets a callback; here they can leave. */
class Settlement {
  #done = false
  readonly #waiting = new Set<() => void>()

  constructor(promise: PromiseLike<unknown>) {
    const settle = () => {
      this.#done = true
      for (const each of this.#waiting) each()
      this.#waiting.clear()
    }
    promise.then(settle, settle)
  }

  readonly look: Look = async (now, signal) => {
    // A settled promise says so a microtask later. One that was made of other promises takes two or three.
    if (now) await turn()
    if (this.#done || now) return this.#done
    return new Promise(resolve => {
      const done = () => resolve(true)
      this.#waiting.add(done)
      const leave = () => {
        this.#waiting.delete(done)
        resolve(false)
      }
      signal.addEventListener('abort', leave, { once: true })
    })
  }
}

const settlements = new WeakMap<PromiseLike<unknown>, Settlement>()

function settled(promise: PromiseLike<unknown>): Look {
  let settlement = settlements.get(promise)
  if (!settlement) {
    settlement = new Settlement(promise)
    settlements.set(promise, settlement)
  }
  return settlement.look
}

function isPromise(object: unknown): object is PromiseLike<unknown> {
  return typeof object === 'object' && object !== null && typeof (object as { then?: unknown }).then === 'function'
}
