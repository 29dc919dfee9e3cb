import { inspect, types } from 'node:util'
import { errorClasses } from './graph-format.js'

/**
 * Whether msgpackr would not give this string back: it has a lone surrogate, or it starts with a byte order mark, which
 * TextDecoder takes away.
 */
export function isOdd(text: string): boolean {
  return !text.isWellFormed() || text.charCodeAt(0) === 0xfeff
}

/** The class of this name that the language gives. */
export function realmClass(name: string): { new (...args: never[]): object; readonly prototype: object } {
  return (globalThis as unknown as Record<string, ReturnType<typeof realmClass>>)[name] as ReturnType<typeof realmClass>
}

/** Whether a dense array has own enumerable properties beside its elements. Values cost no strings, as keys would. */
export function hasExtraKeys(array: readonly unknown[]): boolean {
  if (array.length < 400) return Object.values(array).length > array.length
  // Half a microsecond for any length. Named properties show a colon, and so do symbols, which do not count.
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

/** Also for a subclass that goes by the same name: Node's own errors are of such classes. */
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

/** The name that the error's author gave it, or its class's. */
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

/** For objects that may be hostile: their getters may throw. Undefined where they do. */
export function attempt(read: () => unknown): unknown {
  try {
    return read()
  } catch {
    return undefined
  }
}
