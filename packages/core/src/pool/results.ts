import { AsyncLocalStorage } from 'node:async_hooks'
import { MpError } from '../errors.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import { makeChunk } from './encode-task.js'
import { checkPoolWait, DEFAULT_GRACE, type ImapOptions } from './job-options.js'
import { type Outcome, OutcomeQueue } from './outcome-queue.js'
import type { How } from './protocol.js'
import type { Scheduler } from './scheduler.js'
import type { Callee, Job, Task } from './task.js'

/** Chunks that are read ahead for each worker, where `buffersize` is absent. */
const AHEAD_PER_WORKER = 16

/**
 * The results of an `imap`, one at a time. Reads its input as results are taken, at most `buffersize` items ahead. When a call
 * failed, the `next()` for its item rejects, and the one after that goes on. When the whole job has failed, `next()` rejects
 * once, and is `done` after that. `return()`, which a `break` of `for await` calls, drops the rest.
 */
export class Results<R = unknown> implements AsyncIterableIterator<R>, Job {
  /** @internal */
  over = false
  /** @internal */
  queued = 0
  /** @internal */
  readonly quiet = false
  readonly #scheduler: Scheduler
  readonly #callee: Callee
  readonly #how: How
  readonly #input: Iterator<unknown> | AsyncIterator<unknown>
  readonly #isAsync: boolean
  /** Runs the user's code of the input where this job was made, whoever takes results. */
  readonly #inCallersContext = AsyncLocalStorage.snapshot()
  /** The whole input is in memory, so reading it comes to an end. */
  readonly #atHand: boolean
  readonly #chunksize: number
  readonly #grace: number
  #buffersize: number
  #inputEnded = false
  #inputError: { readonly error: unknown } | undefined
  #reading = false
  /** How many items have been read. */
  #read = 0
  readonly #outcomes: OutcomeQueue
  #failure: { readonly error: unknown } | undefined
  /** A call has rejected with it. */
  #toldFailure = false
  #joined = false
  #release: (() => void) | undefined

  /** @internal Users call `imap` and `imapUnordered` of a Pool. */
  constructor(
    scheduler: Scheduler,
    callee: Callee,
    how: How,
    items: Iterable<unknown> | AsyncIterable<unknown>,
    ordered: boolean,
    options: ImapOptions,
  ) {
    const { chunksize = 1, buffersize = chunksize * AHEAD_PER_WORKER * scheduler.size } = options
    this.#scheduler = scheduler
    this.#callee = callee
    this.#how = how
    this.#outcomes = new OutcomeQueue(ordered)
    this.#chunksize = Math.min(chunksize, buffersize)
    this.#buffersize = buffersize
    this.#grace = options.grace ?? DEFAULT_GRACE
    this.#isAsync = Symbol.asyncIterator in items
    this.#atHand = Array.isArray(items) || items instanceof Set || items instanceof Map || ArrayBuffer.isView(items)
    this.#input =
      Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : (items as Iterable<unknown>)[Symbol.iterator]()
    scheduler.open(this)
    this.#limit(options)
    this.#pump()
  }

  /**
   * The next result; `done` after the last. Rejects with what the call threw, or with MP_TIMEOUT when `timeout` ms pass
   * first; then the result comes with the next call.
   */
  async next(options?: WaitOptions): Promise<IteratorResult<R, undefined>> {
    checkPoolWait('next()', options)
    const outcome = await this.take(options)
    if (!outcome) return { done: true, value: undefined }
    if ('error' in outcome) throw outcome.error
    return { done: false, value: outcome.value as R }
  }

  /** @internal As `next`, but gives the outcome with its index, and undefined after the last. Does not throw what a call threw. */
  async take(options?: WaitOptions): Promise<Outcome | undefined> {
    const limit = checkWait(options)
    const ready = this.#outcomes.take()
    if (ready) {
      this.#pump()
      this.#endIfDone()
      return ready
    }
    if (this.#failure && !this.#toldFailure) {
      this.#toldFailure = true
      throw this.#failure.error
    }
    if (this.#failure || this.over) return undefined
    const outcome = this.#outcomes.wait(options, limit)
    this.#pump()
    this.#outcomes.deliver()
    return outcome
  }

  /** Drops what has not begun, and reads no more. */
  async return(): Promise<IteratorResult<R, undefined>> {
    this.#stop()
    this.#outcomes.clear()
    this.#scheduler.cancel(this, new MpError('MP_CLOSED', 'nobody wants the result'), Number.POSITIVE_INFINITY)
    this.#end()
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
    this.#outcomes.add({ index, value })
  }

  /** @internal */
  allFulfilled(first: number, results: readonly unknown[]): void {
    for (let i = 0; i < results.length; i++) this.#outcomes.add({ index: first + i, value: results[i] })
  }

  /** @internal */
  rejected(index: number, error: unknown): void {
    this.#outcomes.add({ index, error })
  }

  /** @internal */
  settled(_task: Task): void {
    this.#outcomes.deliver()
    this.#pump()
    this.#endIfDone()
    if (this.#joined) this.finish()
  }

  /** @internal */
  fail(error: unknown): void {
    if (this.over) return
    this.#failure = { error }
    this.#stop()
    this.#scheduler.over(this)
    this.#end()
  }

  /**
   * @internal The pool is being joined.
   *
   * - An input at hand is read to its end, since nobody may be left to take results.
   * - Any other input may have no end. It is read on while somebody asks for results; then this job fails.
   */
  finish(): void {
    if (this.over) return
    this.#joined = true
    if (this.#atHand) {
      this.#buffersize = Number.POSITIVE_INFINITY
      this.#pump()
      return
    }
    const paused = !this.#outcomes.awaited && this.#outstanding === this.#outcomes.held
    if (paused && !this.#inputEnded) {
      this.fail(new MpError('MP_CLOSED', 'the pool was joined before all of this input was read'))
    }
  }

  /** How many items were read and have not been taken as results. */
  get #outstanding(): number {
    return this.#read - this.#outcomes.taken
  }

  #limit({ timeout, signal }: ImapOptions): void {
    const cancel = (reason: unknown) => {
      if (this.over) return
      this.#failure = { error: reason }
      this.#outcomes.clear()
      this.#stop()
      this.#scheduler.cancel(this, reason, this.#grace)
      this.#end()
    }
    const late = () => cancel(new MpError('MP_TIMEOUT', `the results were not all there within ${timeout} ms`))
    const limit = checkWait({ timeout, signal })
    const timer = limit === undefined ? undefined : setTimeout(late, limit)
    timer?.unref()
    const onAbort = () => cancel(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#release = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #endIfDone(): void {
    const { ready } = this.#outcomes
    if (this.over || !this.#inputEnded || this.#reading || this.#outstanding > ready) return
    // Results that nobody has taken yet need no worker.
    this.#stop()
    this.#scheduler.over(this)
    if (ready === 0) this.#end()
  }

  /** No more outcomes come. */
  #end(): void {
    if (this.#outcomes.end(this.#failure)) this.#toldFailure = true
  }

  /** Reads no more. */
  #stop(): void {
    this.#release?.()
    this.#release = undefined
    if (this.#inputEnded) return
    this.#inputEnded = true
    try {
      const returned = this.#inCallersContext(() => this.#input.return?.())
      if (this.#isAsync) Promise.resolve(returned).catch(() => {})
    } catch {
      // Nobody asked for what the input says at its end.
    }
  }

  /** Reads as much of the input as may be read ahead. */
  #pump(): void {
    // Reading runs the user's code, which may take a result.
    if (this.#reading) return
    this.#reading = true
    if (!this.#mayRead) this.#paused()
    else this.#inCallersContext(this.#readInput)
  }

  readonly #readInput = () => {
    if (this.#isAsync) void this.#readAsync()
    else this.#readSync()
  }

  get #mayRead(): boolean {
    return !this.#inputEnded && this.#outstanding + this.#chunksize <= this.#buffersize
  }

  #readSync(): void {
    while (this.#mayRead) {
      const items: unknown[] = []
      try {
        while (items.length < this.#chunksize && !this.#inputEnded) {
          const next = (this.#input as Iterator<unknown>).next()
          if (next.done) this.#inputEnded = true
          else items.push(next.value)
        }
      } catch (error) {
        this.#inputFailed(error)
      }
      this.#submit(items)
    }
    this.#paused()
  }

  async #readAsync(): Promise<void> {
    while (this.#mayRead) {
      const items: unknown[] = []
      try {
        while (items.length < this.#chunksize && !this.#inputEnded) {
          const next = await (this.#input as AsyncIterator<unknown>).next()
          if (this.over) break
          if (next.done) this.#inputEnded = true
          else items.push(next.value)
        }
      } catch (error) {
        if (!this.over) this.#inputFailed(error)
      }
      if (this.over) break
      this.#submit(items)
    }
    this.#paused()
  }

  /** No more is read for now. */
  #paused(): void {
    this.#reading = false
    this.#outcomes.deliver()
    this.#endIfDone()
  }

  /** The input itself failed. That is the outcome after those of all items that it gave. */
  #inputFailed(error: unknown): void {
    this.#inputEnded = true
    this.#inputError = { error }
  }

  #submit(items: readonly unknown[]): void {
    const first = this.#read
    this.#read += items.length
    if (items.length > 0) this.#submitChunk(items, first)
    if (!this.#inputError) return
    this.#outcomes.add({ index: this.#read++, error: this.#inputError.error })
    this.#inputError = undefined
  }

  #submitChunk(items: readonly unknown[], first: number): void {
    let task: Task
    try {
      task = makeChunk(this.#scheduler, this, this.#callee, this.#how, items, first)
    } catch (error) {
      if (items.length === 1) return this.#outcomes.add({ index: first, error })
      // One of the items cannot travel. Each goes for itself then, so that the others do.
      for (let i = 0; i < items.length; i++) this.#submitChunk(items.slice(i, i + 1), first + i)
      return
    }
    this.#scheduler.submit(task)
  }
}
