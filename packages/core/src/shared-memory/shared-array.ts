import type { Lock } from '../semaphore/lock.js'
import type { Transport } from '../transport/transport.js'
import { Cells, type SharedElement, SharedMemory, type SharedType, type SharedViews } from './shared-memory.js'

/** Numbers of one type, of a fixed count, in memory that contexts share. */
export class SharedArray<T extends SharedType = SharedType, L extends Lock | undefined = Lock>
  extends SharedMemory<T, L>
  implements Iterable<SharedElement<T>>
{
  /** @internal Users call the SharedArray of their transport's package. */
  constructor(transport: Transport, cells: Cells<T>, lock: L, ownsLock: boolean) {
    super(transport, 'SharedArray', cells, lock, ownsLock)
  }

  get length(): number {
    return this.view.length
  }

  /**
   * The memory itself, as a typed array, for everything else: `fill`, `slice` (a copy), `set` of many, `Atomics.wait`. While others
   * write, it may show elements of which only a part was written.
   */
  get view(): SharedViews[T] {
    return this.cells.view
  }

  /** Reads one element in one step. Throws a RangeError where there is none. */
  get(index: number): SharedElement<T> {
    return this.cells.load(this.#checkIndex(index))
  }

  /** Writes one element in one step. What does not fit wraps, as in a typed array. Throws a RangeError where there is none. */
  set(index: number, element: SharedElement<T>): void {
    this.cells.store(this.#checkIndex(index), element)
  }

  /** Adds to one element in one step. Gives what it was before, as `Atomics.add` does. Throws a RangeError where there is none. */
  add(index: number, n: SharedElement<T>): SharedElement<T> {
    return this.cells.add(this.#checkIndex(index), n)
  }

  /** Gives each element as it is when its turn comes. */
  *[Symbol.iterator](): Generator<SharedElement<T>, void, undefined> {
    for (let i = 0; i < this.length; i++) yield this.get(i)
  }

  #checkIndex(index: number): number {
    if (typeof index !== 'number') throw new TypeError(`index must be a number, not ${typeof index}`)
    if (Number.isInteger(index) && index >= 0 && index < this.length) return index
    throw new RangeError(`index must be an integer from 0 to ${this.length - 1}, not ${index}`)
  }
}

/** Allocates zeros (`content` is their count), or a copy of the values. */
export function makeCells<T extends SharedType>(
  transport: Transport,
  type: T,
  content: number | Iterable<SharedElement<T>>,
): Cells<T> {
  const values = typeof content === 'number' ? undefined : [...content]
  const length = values?.length ?? content
  if (!Number.isSafeInteger(length) || (length as number) < 0) {
    throw new RangeError(`the length must be an integer from 0 on, not ${length}`)
  }
  const cells = Cells.allocate(transport, 'SharedArray', type, length as number)
  for (const each of values ?? []) cells.check(each)
  if (values) cells.view.set(values as never)
  return cells
}
