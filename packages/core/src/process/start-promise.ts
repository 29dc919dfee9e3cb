/**
 * The promise that `start()` returns. A caller may ignore it: a rejection is never unhandled. `looked` tells whether anybody has
 * asked for the outcome; if nobody has, a failure becomes a warning.
 */
export class StartPromise extends Promise<void> {
  looked = false

  static override get [Symbol.species](): PromiseConstructor {
    return Promise
  }

  static of(outcome: Promise<void>): StartPromise {
    const promise = new StartPromise((resolve, reject) => void outcome.then(resolve, reject))
    Promise.prototype.then.call(promise, undefined, () => {})
    return promise
  }

  /** `await` also calls this, since the promise is of a subclass. */
  // biome-ignore lint/suspicious/noThenProperty: it is a promise
  override then<A = void, B = never>(
    // biome-ignore lint/suspicious/noConfusingVoidType: as Promise<void> has it
    onFulfilled?: ((value: void) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.looked = true
    return super.then(onFulfilled, onRejected)
  }
}
