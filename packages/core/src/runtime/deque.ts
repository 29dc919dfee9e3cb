/** A queue that takes at both ends, and gives at its head, in constant time. */
export class Deque<T> {
  /** A ring. Its size is a power of two, so that a mask makes an index of a position. */
  #slots: (T | undefined)[] = new Array(16)
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(item: T): void {
    if (this.#length === this.#slots.length) this.#grow()
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = item
    this.#length++
  }

  unshift(item: T): void {
    if (this.#length === this.#slots.length) this.#grow()
    this.#head = (this.#head - 1) & (this.#slots.length - 1)
    this.#slots[this.#head] = item
    this.#length++
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#slots[this.#head]
    this.#slots[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#slots.length - 1)
    // After a burst, when everything has been taken out, its memory is given back.
    if (--this.#length === 0 && this.#slots.length > 1024) {
      this.#slots = new Array(16)
      this.#head = 0
    }
    return item
  }

  peek(): T | undefined {
    return this.#slots[this.#head]
  }

  clear(): void {
    this.#slots = new Array(16)
    this.#head = 0
    this.#length = 0
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (let i = 0; i < this.#length; i++) yield this.#slots[(this.#head + i) & (this.#slots.length - 1)] as T
  }

  #grow(): void {
    const grown: (T | undefined)[] = new Array(this.#slots.length * 2)
    for (let i = 0; i < this.#length; i++) grown[i] = this.#slots[(this.#head + i) & (this.#slots.length - 1)]
    this.#slots = grown
    this.#head = 0
  }
}
