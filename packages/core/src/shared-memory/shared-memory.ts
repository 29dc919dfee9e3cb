import { types } from 'node:util'
import { SharedHandle } from '../context/shared-handle.js'
import { MpError } from '../errors.js'
import type { Lock } from '../semaphore/lock.js'
import type { Transport } from '../transport/transport.js'

/** Typed arrays over shared memory, by the name of their elements' type. */
export interface SharedViews {
  i8: Int8Array<SharedArrayBuffer>
  u8: Uint8Array<SharedArrayBuffer>
  i16: Int16Array<SharedArrayBuffer>
  u16: Uint16Array<SharedArrayBuffer>
  i32: Int32Array<SharedArrayBuffer>
  u32: Uint32Array<SharedArrayBuffer>
  i64: BigInt64Array<SharedArrayBuffer>
  u64: BigUint64Array<SharedArrayBuffer>
  f32: Float32Array<SharedArrayBuffer>
  f64: Float64Array<SharedArrayBuffer>
}

/** Signed integers (`i`), unsigned integers (`u`) and floats (`f`), with their size in bits. */
export type SharedType = keyof SharedViews

/** Integers of 64 bits are bigints. */
export type SharedElement<T extends SharedType> = T extends 'i64' | 'u64' ? bigint : number

interface ViewType<V> {
  new (buffer: SharedArrayBuffer): V
  readonly BYTES_PER_ELEMENT: number
}

const viewTypes: { readonly [T in SharedType]: ViewType<SharedViews[T]> } = {
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
  i64: BigInt64Array,
  u64: BigUint64Array,
  f32: Float32Array,
  f64: Float64Array,
}

/** Turns a float into the integer of the same bits, and back. */
class FloatBits {
  readonly #float: Float32Array | Float64Array
  readonly #bits: Int32Array | BigInt64Array

  constructor(float: Float32Array | Float64Array, bits: Int32Array | BigInt64Array) {
    this.#float = float
    this.#bits = bits
  }

  of(float: number): number | bigint {
    this.#float[0] = float
    return this.#bits[0] as number | bigint
  }

  from(bits: number | bigint): number {
    this.#bits[0] = bits as never
    return this.#float[0] as number
  }
}

/** The same memory as integers, since Atomics take nothing else. */
function integers(type: SharedType, view: SharedViews[SharedType]): SharedViews[SharedType] {
  const { buffer, byteOffset, length } = view
  if (type === 'f32') return new Int32Array(buffer, byteOffset, length)
  if (type === 'f64') return new BigInt64Array(buffer, byteOffset, length)
  return view
}

const float32 = new Float32Array(1)
const float64 = new Float64Array(1)
const floatBits: { [type: string]: FloatBits | undefined } = {
  f32: new FloatBits(float32, new Int32Array(float32.buffer)),
  f64: new FloatBits(float64, new BigInt64Array(float64.buffer)),
}

/**
 * Elements of one type in shared memory. Each call is one atomic step, and all contexts see these steps in one order. So nobody
 * sees half an element. Atomics take only integers; floats are stored as their bits. What does not fit wraps, as in a typed array.
 */
export class Cells<T extends SharedType> {
  readonly type: T
  readonly view: SharedViews[T]
  /** Typed as Int32Array, whatever the integers are: elements are checked before they are stored. */
  readonly #words: Int32Array
  readonly #floats: FloatBits | undefined

  /** @throws {MpError} MP_DECODE: `view` is not over shared memory. It may come from outside. */
  constructor(view: unknown) {
    const type = Object.entries(viewTypes).find(([, View]) => view instanceof View)?.[0] as T | undefined
    const shared = view as SharedViews[T]
    if (!type || !types.isSharedArrayBuffer(shared.buffer)) throw new MpError('MP_DECODE', 'this memory is not shared')
    this.type = type
    this.view = shared
    this.#floats = floatBits[type]
    this.#words = integers(type, shared) as Int32Array
  }

  /** Makes new memory, all zeros. */
  static allocate<T extends SharedType>(transport: Transport, what: string, type: T, length: number): Cells<T> {
    const { sharedMemory, attachments } = transport.capabilities
    if (!sharedMemory || !attachments) {
      throw new MpError(
        'MP_NOT_SUPPORTED',
        `a ${what} needs memory that contexts share, and ${transport.name} has none: memory, worker-threads and shared-array-buffer do`,
      )
    }
    if (!Object.hasOwn(viewTypes, type)) {
      throw new TypeError(`type must be one of ${Object.keys(viewTypes).join(', ')}, not ${String(type)}`)
    }
    const View = viewTypes[type]
    return new Cells<T>(new View(new SharedArrayBuffer(length * View.BYTES_PER_ELEMENT)))
  }

  load(index: number): SharedElement<T> {
    return this.#element(Atomics.load(this.#words, index))
  }

  store(index: number, element: SharedElement<T>): void {
    Atomics.store(this.#words, index, this.#word(this.check(element)))
  }

  /** Adds in one step. Gives what was there before. */
  add(index: number, n: SharedElement<T>): SharedElement<T> {
    this.check(n)
    if (!this.#floats) return Atomics.add(this.#words, index, n as never) as never
    let seen = Atomics.load(this.#words, index)
    for (;;) {
      const before = this.#floats.from(seen)
      const found = Atomics.compareExchange(this.#words, index, seen, this.#floats.of(before + (n as number)) as never)
      if (found === seen) return before as never
      seen = found
    }
  }

  /** Gives the element. Throws a TypeError where it is not the number, or the bigint, that the type needs. */
  check(element: SharedElement<T>): SharedElement<T> {
    const expected = this.type === 'i64' || this.type === 'u64' ? 'bigint' : 'number'
    if (typeof element === expected) return element
    throw new TypeError(`an element of type ${this.type} is a ${expected}, not a ${typeof element}`)
  }

  #element(word: number): SharedElement<T> {
    return (this.#floats ? this.#floats.from(word) : word) as never
  }

  #word(element: SharedElement<T>): number {
    return (this.#floats ? this.#floats.of(element as number) : element) as never
  }
}

/** What Value and SharedArray have in common: memory that all contexts share, and perhaps a lock. */
export class SharedMemory<T extends SharedType, L extends Lock | undefined> extends SharedHandle {
  readonly #cells: Cells<T>
  readonly #lock: L
  readonly #ownsLock: boolean

  /** @internal `ownsLock`: the lock was made for this memory, and closes with it. */
  constructor(transport: Transport, what: string, cells: Cells<T>, lock: L, ownsLock: boolean) {
    // The lock is a handle of its own: it is collected by itself.
    super(transport, what, { close: () => void (ownsLock && lock?.close()), collected() {} })
    this.#cells = cells
    this.#lock = lock
    this.#ownsLock = ownsLock
  }

  get type(): T {
    return this.#cells.type
  }

  /** For work of more than one step. It stops only those who acquire it, too. Undefined where the option `lock` was false. */
  get lock(): L {
    return this.#lock
  }

  /** @internal */
  protected get cells(): Cells<T> {
    this.checkOpen()
    return this.#cells
  }

  /** @internal */
  protected override pack(): unknown {
    return { view: this.#cells.view, lock: this.#lock, ownsLock: this.#ownsLock }
  }
}
