/** Calls that wait, first come, first served. A call that gives up leaves in constant time. */
export class WaitList<T> {
  readonly #line = new Set<T>()

  get length(): number {
    return this.#line.size
  }

  push(item: T): void {
    this.#line.add(item)
  }

  shift(): T | undefined {
    for (const first of this.#line) {
      this.#line.delete(first)
      return first
    }
    return undefined
  }

  delete(item: T): boolean {
    return this.#line.delete(item)
  }

  /** Takes out each item for which `unwanted` is true. */
  remove(unwanted: (item: T) => boolean): void {
    for (const item of this.#line) if (unwanted(item)) this.#line.delete(item)
  }

  clear(): void {
    this.#line.clear()
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#line.values()
  }
}
