import { MpError } from '../errors.js'
import { Deque } from '../runtime/deque.js'
import { Pending } from '../runtime/pending-call.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import { makeChunk } from './encode-task.js'
import type { JobOptions } from './jobs.js'
import type { How } from './protocol.js'
import type { Scheduler } from './scheduler.js'
import type { Callee, Job, Task } from './task.js'

export interface ImapOptions extends JobOptions {
  /** Items that travel together, and count as one task; 1 where absent. */
  chunksize?: number | undefined
  /** Items that may have been read and not yet been taken as results. 16 chunks for each worker where absent. */
  buffersize?: number | undefined
}

export type Outcome = { readonly index: number } & ({ readonly value: unknown } | { readonly error: unknown })

const AHEAD_PER_WORKER = 16
const GRACE = 1000

/**
 * The results of an `imap`, one at a time. Reads its input as results are taken, at most `buffersize` items ahead. A call that
 * failed rejects its own `next()`, and the next one goes on. `return()`, as a `break` of `for await` calls it, drops the rest.
 */
export class Results<R = unknown> implements AsyncIterableIterator<R>, Job {
  /** @internal */
  over = false
  /** @internal */
  queued = 0
  /** @internal */
  readonly quiet = false
  readonly #crew: Scheduler
  readonly #callee: Callee
  readonly #how: How
  readonly #ordered: boolean
  readonly #input: Iterator<unknown> | AsyncIterator<unknown>
  readonly #isAsync: boolean
  /** It would end if it were read on. */
  readonly #atHand: boolean
  readonly #chunksize: number
  readonly #grace: number
  #buffersize: number
  #inputEnded = false
  #inputError: { readonly error: unknown } | undefined
  #reading = false
  /** Items read. */
  #read = 0
  /** Items whose outcome has been taken. */
  #taken = 0
  /** Ordered: those that wait for an earlier one, by index. */
  readonly #early = new Map<number, Outcome>()
  /** In the order in which they are given out. */
  readonly #done = new Deque<Outcome>()
  #nextIndex = 0
  readonly #takers = new Deque<Pending<Outcome | undefined>>()
  #failure: { readonly error: unknown } | undefined
  #joined = false
  #release: (() => void) | undefined

  /** @internal Users call `imap` and `imapUnordered` of a Pool. */
  constructor(
    crew: Scheduler,
    callee: Callee,
    how: How,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    ordered: boolean,
    options: ImapOptions,
  ) {
    const { chunksize = 1, buffersize = chunksize * AHEAD_PER_WORKER * crew.size, grace = GRACE } = options
    this.#crew = crew
    this.#callee = callee
    this.#how = how
    this.#ordered = ordered
    this.#chunksize = Math.min(chunksize, buffersize)
    this.#buffersize = buffersize
    this.#grace = grace
    this.#isAsync = Symbol.asyncIterator in items
    this.#atHand = Array.isArray(items) || items instanceof Set || items instanceof Map || ArrayBuffer.isView(items)
    this.#input =
      Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : (items as Iterable<unknown>)[Symbol.iterator]()
    crew.open(this)
    this.#limit(options)
    this.#pump()
  }

  /**
   * The next result; `done` after the last. Rejects with what the call threw, or with MP_TIMEOUT when `timeout` ms pass
   * first; the result then comes with the next call.
   */
  async next(options?: WaitOptions): Promise<IteratorResult<R, undefined>> {
    const outcome = await this.take(options)
    if (!outcome) return { done: true, value: undefined }
    if ('error' in outcome) throw outcome.error
    return { done: false, value: outcome.value as R }
  }

  /** @internal As `next`, with the item's place, and without throwing what a call threw; undefined after the last. */
  async take(options?: WaitOptions): Promise<Outcome | undefined> {
    const limit = checkWait(options)
    const ready = this.#takers.length === 0 ? this.#done.shift() : undefined
    if (ready) {
      this.#taken++
      this.#pump()
      this.#endIfDone()
      return ready
    }
    if (this.#failure) throw this.#failure.error
    if (this.over) return undefined
    const taker = new Pending<Outcome | undefined>()
    this.#takers.push(taker)
    taker.limit(
      options,
      () => taker.reject(new MpError('MP_TIMEOUT', `no result came within ${limit} ms`)),
      () => {},
    )
    this.#pump()
    this.#deliver()
    return taker.promise
  }

  /** Drops what has not begun, and reads no more. */
  async return(): Promise<IteratorResult<R, undefined>> {
    this.#stop()
    this.#done.clear()
    this.#crew.cancel(this, new MpError('MP_CLOSED', 'nobody wants the result'), Number.POSITIVE_INFINITY)
    this.#settleTakers()
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  /** @internal */
  fulfilled(index: number, value: unknown): void {
    this.#arrived({ index, value })
  }

  /** @internal */
  allFulfilled(first: number, results: readonly unknown[]): void {
    for (let i = 0; i < results.length; i++) this.#arrived({ index: first + i, value: results[i] })
  }

  /** @internal */
  rejected(index: number, error: unknown): void {
    this.#arrived({ index, error })
  }

  /** @internal */
  settled(_task: Task): void {
    this.#deliver()
    this.#pump()
    this.#endIfDone()
    if (this.#joined) this.finish()
  }

  /** @internal */
  fail(error: unknown): void {
    if (this.over) return
    this.#failure = { error }
    this.#stop()
    this.#crew.over(this)
    this.#settleTakers()
  }

  /**
   * @internal The pool is being joined. What is at hand is read to its end, since nobody may be left to take results; of what
   * may have no end no more is read once nobody asks for it.
   */
  finish(): void {
    if (this.over) return
    this.#joined = true
    if (this.#atHand) {
      this.#buffersize = Number.POSITIVE_INFINITY
      this.#pump()
      return
    }
    const paused = this.#takers.length === 0 && this.#outstanding === this.#done.length + this.#early.size
    if (paused && !this.#inputEnded) {
      this.fail(new MpError('MP_CLOSED', 'the pool was joined before all of this input was read'))
    }
  }

  get #outstanding(): number {
    return this.#read - this.#taken
  }

  #limit({ timeout, signal }: ImapOptions): void {
    const cancel = (reason: unknown) => {
      if (this.over) return
      this.#failure = { error: reason }
      this.#done.clear()
      this.#stop()
      this.#crew.cancel(this, reason, this.#grace)
      this.#settleTakers()
    }
    const limit = checkWait({ timeout, signal })
    const timer =
      limit === undefined
        ? undefined
        : setTimeout(
            () => cancel(new MpError('MP_TIMEOUT', `the results were not all there within ${timeout} ms`)),
            limit,
          )
    timer?.unref()
    const onAbort = () => cancel(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#release = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #arrived(outcome: Outcome): void {
    if (!this.#ordered) {
      this.#done.push(outcome)
      return
    }
    this.#early.set(outcome.index, outcome)
    for (let next = this.#early.get(this.#nextIndex); next; next = this.#early.get(this.#nextIndex)) {
      this.#early.delete(this.#nextIndex++)
      this.#done.push(next)
    }
  }

  #deliver(): void {
    while (this.#done.length > 0) {
      const taker = this.#nextTaker()
      if (!taker) return
      this.#taken++
      taker.resolve(this.#done.shift())
    }
  }

  #nextTaker(): Pending<Outcome | undefined> | undefined {
    for (let taker = this.#takers.shift(); taker; taker = this.#takers.shift()) if (!taker.settled) return taker
    return undefined
  }

  #endIfDone(): void {
    if (this.over || !this.#inputEnded || this.#reading || this.#outstanding > this.#done.length) return
    // Results that nobody has taken yet need no worker.
    this.#stop()
    this.#crew.over(this)
    if (this.#done.length === 0) this.#settleTakers()
  }

  #settleTakers(): void {
    for (let taker = this.#nextTaker(); taker; taker = this.#nextTaker()) {
      if (this.#failure) taker.reject(this.#failure.error)
      else taker.resolve(undefined)
    }
  }

  /** Reads no more. */
  #stop(): void {
    this.#release?.()
    this.#release = undefined
    if (this.#inputEnded) return
    this.#inputEnded = true
    try {
      const returned = this.#input.return?.()
      if (this.#isAsync) Promise.resolve(returned).catch(() => {})
    } catch {
      // Nobody asked for what it has to say at its end.
    }
  }

  /** Reads as much of the input as may be read ahead. */
  #pump(): void {
    if (this.#isAsync) void this.#pumpAsync()
    else this.#pumpSync()
  }

  #pumpSync(): void {
    // Reading runs the user's code, which may take a result.
    if (this.#reading) return
    this.#reading = true
    while (!this.#inputEnded && this.#outstanding + this.#chunksize <= this.#buffersize) {
      const items: unknown[] = []
      try {
        while (items.length < this.#chunksize) {
          const next = (this.#input as Iterator<unknown>).next()
          if (next.done) {
            this.#inputEnded = true
            break
          }
          items.push(next.value)
        }
      } catch (error) {
        this.#broken(error)
      }
      this.#submit(items)
    }
    this.#reading = false
    this.#deliver()
    this.#endIfDone()
  }

  async #pumpAsync(): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    while (!this.#inputEnded && this.#outstanding + this.#chunksize <= this.#buffersize) {
      const items: unknown[] = []
      try {
        while (items.length < this.#chunksize && !this.#inputEnded) {
          const next = await (this.#input as AsyncIterator<unknown>).next()
          if (this.over) break
          if (next.done) this.#inputEnded = true
          else items.push(next.value)
        }
      } catch (error) {
        if (!this.over) this.#broken(error)
      }
      if (this.over) break
      this.#submit(items)
    }
    this.#reading = false
    this.#deliver()
    this.#endIfDone()
  }

  /** The input itself failed: that is the outcome behind those of all items that it gave. */
  #broken(error: unknown): void {
    this.#inputEnded = true
    this.#inputError = { error }
  }

  #submit(items: readonly unknown[]): void {
    const first = this.#read
    this.#read += items.length
    if (items.length > 0) this.#submitChunk(items, first)
    if (!this.#inputError) return
    this.#arrived({ index: this.#read++, error: this.#inputError.error })
    this.#inputError = undefined
  }

  #submitChunk(items: readonly unknown[], first: number): void {
    let task: Task
    try {
      task = makeChunk(this.#crew, this, this.#callee, this.#how, items, first)
    } catch (error) {
      if (items.length === 1) return this.#arrived({ index: first, error })
      // One of them cannot travel: each for itself, and those that can do.
      for (let i = 0; i < items.length; i++) this.#submitChunk(items.slice(i, i + 1), first + i)
      return
    }
    this.#crew.submit(task)
  }
}
