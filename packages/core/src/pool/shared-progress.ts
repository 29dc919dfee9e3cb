/**
 * How far a worker is with what it was sent, in memory that its pool sees too, where the medium has such memory. So a worker
 * that died still says what it was at, and a busy one cannot keep what it has not begun.
 *
 * One word. Both halves count the tasks that were sent to this worker, from 1, modulo 65,536:
 *
 *     u16 allowed: those that it may begin | u16 begun: those that it has begun
 *
 * - The worker alone moves `begun`, by one; the pool alone moves `allowed`: on before it sends tasks, back to `begun` when it
 *   takes them back.
 * - Each swaps the whole word, so a task is begun or taken back, never both.
 * - Fewer than 32,768 tasks are between the two, so that "before" and "behind" have a meaning.
 */
export class SharedProgress {
  /** What `new SharedProgress` takes in the other context. */
  readonly memory: SharedArrayBuffer
  readonly #word: Int32Array

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.memory = memory
    this.#word = new Int32Array(memory)
  }

  /** The pool's: lets the worker begin one more. Gives its place among those that were sent. */
  allow(): number {
    return ((Atomics.add(this.#word, 0, 1 << 16) >>> 16) + 1) & 0xffff
  }

  /** The pool's: the worker begins nothing that it has not begun. */
  takeBack(): void {
    for (;;) {
      const before = Atomics.load(this.#word, 0)
      const after = (before << 16) | (before & 0xffff)
      if (Atomics.compareExchange(this.#word, 0, before, after) === before) return
    }
  }

  /** The worker's: whether it may begin the next one, and then it has. */
  begin(): boolean {
    for (;;) {
      const before = Atomics.load(this.#word, 0)
      const begun = before & 0xffff
      if (begun === before >>> 16) return false
      const after = (before & ~0xffff) | ((begun + 1) & 0xffff)
      if (Atomics.compareExchange(this.#word, 0, before, after) === before) return true
    }
  }

  /** How `place` lies to the task that was begun last: negative before it, 0 where it is that one, positive where it has not begun. */
  behind(place: number): number {
    return ((place - Atomics.load(this.#word, 0)) << 16) >> 16
  }
}
