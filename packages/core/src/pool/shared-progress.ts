/**
 * How far a worker is with what it was sent. It stands in memory that its pool sees too, where the medium has such memory. So
 * the pool knows what a dead worker was at, and can take back from a busy one what that one has not begun.
 *
 * One word. Both halves count the tasks that were sent to this worker, from 1, modulo 65,536:
 *
 *     u16 allowed: those that it may begin | u16 begun: those that it has begun
 *
 * - Only the worker moves `begun`, by one at a time.
 * - Only the pool moves `allowed`: forward before it sends tasks, and back to `begun` when it takes tasks back.
 * - Each swaps the whole word, so a task is begun or taken back, never both.
 * - Fewer than 32,768 tasks are between the two, so that it is clear which of two places comes first.
 */
export class SharedProgress {
  /** What `new SharedProgress` takes in the other context. */
  readonly memory: SharedArrayBuffer
  readonly #word: Int32Array

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.memory = memory
    this.#word = new Int32Array(memory)
  }

  /** For the pool. Lets the worker begin one more task. Gives the place of that task among those that were sent. */
  allow(): number {
    return ((Atomics.add(this.#word, 0, 1 << 16) >>> 16) + 1) & 0xffff
  }

  /** For the pool. From here on the worker begins none of the tasks that it was sent. */
  takeBack(): void {
    for (;;) {
      const before = Atomics.load(this.#word, 0)
      const after = (before << 16) | (before & 0xffff)
      if (Atomics.compareExchange(this.#word, 0, before, after) === before) return
    }
  }

  /** For the worker. Begins the next task, and gives true; false where it may not. */
  begin(): boolean {
    for (;;) {
      const before = Atomics.load(this.#word, 0)
      const begun = before & 0xffff
      if (begun === before >>> 16) return false
      const after = (before & ~0xffff) | ((begun + 1) & 0xffff)
      if (Atomics.compareExchange(this.#word, 0, before, after) === before) return true
    }
  }

  /**
   * How far `place` is from the task that was begun last: negative before it, 0 at it, positive where the task has not begun.
   */
  distance(place: number): number {
    return ((place - Atomics.load(this.#word, 0)) << 16) >> 16
  }
}
