import { inspect, types } from 'node:util'
import { errorClasses } from './graph-format.js'

/** Whether UTF-8 may lose something of this string: a lone surrogate, or a byte order mark at its start, which many readers drop. */
export function isOdd(text: string): boolean {
  return !text.isWellFormed() || text.charCodeAt(0) === 0xfeff
}

/** The language's own class of this name. */
export function realmClass(name: string): { new (...args: never[]): object; readonly prototype: object } {
  return (globalThis as unknown as Record<string, ReturnType<typeof realmClass>>)[name] as ReturnType<typeof realmClass>
}

/** Whether a dense array has own enumerable properties beside its elements. Its values are counted, since keys would cost strings. */
export function hasExtraKeys(array: readonly unknown[]): boolean {
  if (array.length < 400) return Object.values(array).length > array.length
  // Half a microsecond for any length. A named property shows as a colon. So does a symbol, which does not count.
  const shown = inspect(array, { maxArrayLength: 0, maxStringLength: 0, depth: 0, customInspect: false })
  return shown.includes(':') && Object.keys(array).length > array.length
}

export function isDetached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false
  try {
    new Uint8Array(buffer)
    return false
  } catch {
    return true
  }
}

export function isError(value: object): boolean {
  return types.isNativeError(value) || value instanceof Error
}

/** The name of the built-in class of errors. A subclass with the same name counts, too: Node's own errors are of such classes. */
export function builtInErrorName(prototype: object): string | undefined {
  for (
    let ancestor: object | null = prototype;
    ancestor !== null;
    ancestor = Object.getPrototypeOf(ancestor) as object
  ) {
    const name = errorClasses.find(name => realmClass(name).prototype === ancestor)
    if (name !== undefined) return ancestor === prototype || className(prototype) === name ? name : undefined
  }
  return undefined
}

/** The name that the author gave to the error, or the name of its class. */
export function remoteName(error: Error): string {
  const { name } = error
  if (typeof name === 'string' && name !== '' && !errorClasses.includes(name)) return name
  return className(error)
}

export function className(value: object): string {
  const name = attempt(() => (value as { constructor?: { name?: unknown } }).constructor?.name)
  return typeof name === 'string' && name !== '' ? name : 'Object'
}

/** Classes whose instances hold more than their fields. */
export function isExotic(value: object): boolean {
  return (
    Array.isArray(value) || ArrayBuffer.isView(value) || Object.prototype.toString.call(value) !== '[object Object]'
  )
}

export function describe(value: unknown): string {
  switch (typeof value) {
    case 'function':
      return `[function ${String(attempt(() => value.name) || 'without a name')}]`
    case 'object':
      return value === null ? 'null' : `[${className(value)}]`
    default:
      return String(value)
  }
}

/** Reads from an object whose getters may throw. Undefined where they do. */
export function attempt(read: () => unknown): unknown {
  try {
    return read()
  } catch {
    return undefined
  }
}
