import type { Lock } from '../semaphore/lock.js'
import type { Transport } from '../transport/transport.js'
import { type Cells, type SharedElement, SharedMemory, type SharedType } from './shared-memory.js'

/** One number in memory that contexts share. What one context writes, all read. */
export class Value<T extends SharedType = SharedType, L extends Lock | undefined = Lock> extends SharedMemory<T, L> {
  /** @internal Users call the Value of their transport's package. */
  constructor(transport: Transport, cells: Cells<T>, lock: L, ownsLock: boolean) {
    super(transport, 'Value', cells, lock, ownsLock)
  }

  /**
   * Reading is one step, and writing is another. So in `value.value += 1` others may write between the two, unless all who write
   * hold the lock. `add` needs no lock. What does not fit wraps, as in a typed array.
   */
  get value(): SharedElement<T> {
    return this.cells.load(0)
  }

  set value(value: SharedElement<T>) {
    this.cells.store(0, value)
  }

  /** Adds in one step. Gives what the value was before, as `Atomics.add` does. */
  add(n: SharedElement<T>): SharedElement<T> {
    return this.cells.add(0, n)
  }
}
