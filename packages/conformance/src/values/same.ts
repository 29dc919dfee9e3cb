import { AssertionError } from 'node:assert'
import { inspect, types } from 'node:util'

/**
 * Throws unless `actual` is what `expected` becomes when it travels:
 *
 * - the same primitives (-0 is not 0, NaN is NaN, a hole is not undefined),
 * - the same prototypes, and the same keys in the same order,
 * - the same identities: what is one object here is one object there, and two objects are two.
 *
 * A view may lie elsewhere in its buffer, if the buffer itself is not part of the value.
 */
export function assertSame(actual: unknown, expected: unknown, what = 'the value'): void {
  new Comparison(what).same(actual, expected, '')
}

class Comparison {
  readonly #what: string
  readonly #actualOf = new Map<object, object>()
  readonly #expectedOf = new Map<object, object>()
  /** By expected buffer: by how many bytes the views lie further back in the actual buffer. */
  readonly #shifts = new Map<ArrayBufferLike, number>()

  constructor(what: string) {
    this.#what = what
  }

  same(actual: unknown, expected: unknown, path: string): void {
    if (!isObject(expected) || !isObject(actual)) {
      if (!Object.is(actual, expected)) this.#fail(path, 'is another', actual, expected)
      return
    }
    if (!this.#pair(actual, expected, path)) return
    if (Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected))
      this.#fail(`Object.getPrototypeOf(${path})`, 'is another', actual, expected)
    if (ArrayBuffer.isView(expected)) return this.#sameView(actual as ArrayBufferView, expected, path)
    if (types.isAnyArrayBuffer(expected)) return this.#sameBuffer(actual as ArrayBuffer, expected as ArrayBuffer, path)
    this.#sameContent(actual, expected, path)
    this.#sameFields(actual, expected, path)
  }

  /** False if the two were compared before, as a pair. */
  #pair(actual: object, expected: object, path: string): boolean {
    const before = this.#actualOf.get(expected)
    if (before === undefined && !this.#expectedOf.has(actual)) {
      this.#actualOf.set(expected, actual)
      this.#expectedOf.set(actual, expected)
      return true
    }
    if (before !== actual) this.#fail(path, 'does not have the identity', actual, expected)
    return false
  }

  #sameView(actual: ArrayBufferView, expected: ArrayBufferView, path: string): void {
    const [a, e] = [bytesOf(actual), bytesOf(expected)]
    if (Buffer.compare(a, e) !== 0) this.#fail(path, 'has other bytes', actual, expected)
    this.#pair(actual.buffer, expected.buffer, `${path}.buffer`)
    this.#shift(actual.byteOffset - expected.byteOffset, expected.buffer, path)
  }

  #sameBuffer(actual: ArrayBuffer, expected: ArrayBuffer, path: string): void {
    if (Buffer.compare(new Uint8Array(actual), new Uint8Array(expected)) !== 0)
      this.#fail(path, 'has other bytes', actual, expected)
    this.#shift(0, expected, path)
  }

  #shift(shift: number, buffer: ArrayBufferLike, path: string): void {
    const before = this.#shifts.get(buffer) ?? shift
    if (before !== shift) this.#fail(path, 'lies elsewhere in its buffer', shift, before)
    this.#shifts.set(buffer, shift)
  }

  /** Compares what is not in properties. */
  #sameContent(actual: object, expected: object, path: string): void {
    const prototype: object | null = Object.getPrototypeOf(expected)
    // Dates, boxed primitives, and classes with a `valueOf`.
    if (prototype && prototype !== Object.prototype && Object.hasOwn(prototype, 'valueOf'))
      this.same(actual.valueOf(), expected.valueOf(), `${path}.valueOf()`)
    else if (types.isRegExp(expected)) this.same(String(actual), String(expected), `String(${path})`)
    else if (types.isMap(expected) || types.isSet(expected))
      this.#sameItems([...(actual as Iterable<unknown>)], [...expected], path)
    else if (expected instanceof DOMException)
      for (const key of ['name', 'message', 'code'] as const)
        this.same((actual as DOMException)[key], expected[key], `${path}.${key}`)
  }

  #sameItems(actual: readonly unknown[], expected: readonly unknown[], path: string): void {
    if (actual.length !== expected.length) this.#fail(`${path}.size`, 'is another', actual.length, expected.length)
    for (const [index, item] of expected.entries()) {
      const [a, at] = [actual[index], `[...${path}][${index}]`]
      // An entry of a map is not an object of its own.
      if (Array.isArray(item) && Array.isArray(a) && item.length === 2 && a.length === 2 && !this.#actualOf.has(item)) {
        this.same(a[0], item[0], `${at}[0]`)
        this.same(a[1], item[1], `${at}[1]`)
      } else this.same(a, item, at)
    }
  }

  #sameFields(actual: object, expected: object, path: string): void {
    const [keys, wanted] = [shownKeys(actual), shownKeys(expected)]
    if (keys.join() !== wanted.join()) this.#fail(`Object.keys(${path})`, 'are others', keys, wanted)
    if (Array.isArray(expected) && (actual as unknown[]).length !== expected.length)
      this.#fail(`${path}.length`, 'is another', (actual as unknown[]).length, expected.length)
    for (const key of wanted)
      this.same(
        (actual as Record<string, unknown>)[key],
        (expected as Record<string, unknown>)[key],
        `${path}[${inspect(key)}]`,
      )
  }

  #fail(path: string, how: string, actual: unknown, expected: unknown): never {
    const message = `${this.#what}${path} ${how}: ${brief(actual)}, not ${brief(expected)}`
    throw new AssertionError({ message, stackStartFn: assertSame })
  }
}

/** The keys, in order. The stack, message and so on of an error are not enumerable, but travel too; their order does not count. */
function shownKeys(object: object): readonly string[] {
  if (!types.isNativeError(object)) return Object.keys(object)
  const hidden = Object.getOwnPropertyNames(object).filter(
    key => !Object.prototype.propertyIsEnumerable.call(object, key),
  )
  return [...hidden.sort(), ...Object.keys(object)]
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function brief(value: unknown): string {
  return inspect(value, { depth: 2, breakLength: Number.POSITIVE_INFINITY }).slice(0, 120)
}
