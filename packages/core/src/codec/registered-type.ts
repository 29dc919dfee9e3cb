import { MpError } from '../errors.js'

export interface RegisteredType {
  readonly type: new (...args: never[]) => unknown
  readonly name: string
  readonly encode: ((value: never) => unknown) | undefined
  readonly decode: ((data: never) => unknown) | undefined
}

interface Registry {
  readonly byName: Map<string, RegisteredType>
  readonly byPrototype: Map<object, RegisteredType>
}

/** One for the realm: the module may be there twice, from two packages' dependencies. */
export function registry(): Registry {
  const realm = globalThis as { [key: symbol]: Registry | undefined }
  const key = Symbol.for('@mp/core.types')
  realm[key] ??= { byName: new Map(), byPrototype: new Map() }
  return realm[key]
}

/**
 * Lets instances of a class travel; call it in both contexts, with the same name. Subclasses need their own call.
 *
 * `encode` gives any value that can travel, `decode` makes an instance of what arrived. Without them an instance travels
 * as its own enumerable fields, and arrives without its constructor being called.
 *
 * @param options.name What the contexts know the class by; the class's own name where absent.
 * @throws {MpError} MP_INVALID_STATE if another class has the name.
 */
export function registerType<T>(
  type: new (...args: never[]) => T,
  // biome-ignore lint/suspicious/noExplicitAny: the author of `encode` knows what `decode` is given
  options: { name?: string; encode?(value: T): unknown; decode?(data: any): T } = {},
): void {
  if (typeof type !== 'function') throw new TypeError('registerType: the type must be a class')
  const name = options.name ?? type.name
  if (typeof name !== 'string' || name === '') throw new TypeError('registerType: a class without a name needs one')
  const { byName, byPrototype } = registry()
  const before = byName.get(name)
  if (before !== undefined && before.type !== type) {
    throw new MpError('MP_INVALID_STATE', `registerType: another class is registered as \`${name}\``)
  }
  const previous = byPrototype.get(type.prototype)
  if (previous !== undefined) byName.delete(previous.name)
  const entry: RegisteredType = { type, name, encode: options.encode, decode: options.decode }
  byName.set(name, entry)
  byPrototype.set(type.prototype, entry)
}
