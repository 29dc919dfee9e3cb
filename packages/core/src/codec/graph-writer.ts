import { types } from 'node:util'
import { MpError } from '../errors.js'
import type { ByteBuffer } from '../runtime/byte-buffer.js'
import { ByteTable } from './byte-table.js'
import { classify, isInherited } from './error-class.js'
import { hiddenErrorKeys, MAX_DEPTH, Tag, viewKinds } from './graph-format.js'
import { type Handle, PACK, type Packing } from './handle.js'
import { copyLive } from './live-object.js'
import { type RegisteredType, registry } from './registered-type.js'
import {
  attempt,
  className,
  describe,
  hasExtraKeys,
  isDetached,
  isError,
  isExotic,
  isOdd,
  realmClass,
} from './value-kinds.js'

type Node = unknown[]

/** How a value is reached from the one that holds it, for messages. */
type Step = string | number | { readonly text: string }

/** Turns one value into a tree and a table of bytes. */
export class GraphWriter {
  /** The tree's root, and the table if there is one. For `writeTree`. */
  tree: unknown[] = []
  private readonly packing: Packing
  /** What cannot travel is replaced by a description. */
  private readonly lenient: boolean
  /** What a path starts with. */
  private readonly name: string
  private readonly numbers = new Map<object, number>()
  private readonly numbered: object[] = []
  /** Instances whose own `encode` is running. A reference to one could not be read: it does not exist yet on the other side. */
  private readonly open = new Set<object>()
  private readonly bytes: ByteTable
  private readonly path: Step[] = []

  constructor(packing: Packing, lenient: boolean, name: string) {
    this.name = name
    this.packing = packing
    this.bytes = new ByteTable(packing)
    this.lenient = lenient
  }

  write(value: unknown): void {
    const root = this.node(value, 0)
    this.tree = this.bytes.empty ? [root] : [root, this.bytes.place()]
  }

  /** Appends the runs of bytes that the table counts. */
  writeBytes(out: ByteBuffer): void {
    this.bytes.append(out)
  }

  private node(value: unknown, depth: number): unknown {
    if (!this.lenient) return this.strictNode(value, depth)
    const count = this.numbered.length
    try {
      return this.strictNode(value, depth)
    } catch {
      // The objects that were numbered within it do not arrive.
      while (this.numbered.length > count) this.numbers.delete(this.numbered.pop() as object)
      return describe(value)
    }
  }

  private strictNode(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        return isOdd(value) ? this.bytes.addText(value) : value
      case 'number':
        return Object.is(value, -0) ? [Tag.NegativeZero] : value
      case 'boolean':
        return value
      case 'undefined':
        return [Tag.Undefined]
      case 'bigint':
        return [Tag.BigInt, value.toString(16)]
      case 'object':
        return value === null ? null : this.object(value, depth)
      case 'function':
        return this.refuse(depth, 'a function')
      default:
        return this.refuse(depth, 'a symbol')
    }
  }

  private object(value: object, depth: number): Node {
    const number = this.numbers.get(value)
    if (number !== undefined) {
      if (this.open.has(value)) this.refuse(depth, 'a cycle through an object that is encoded by its own `encode`')
      return [Tag.Reference, number]
    }
    if (depth >= MAX_DEPTH) this.refuse(depth, `nested more than ${MAX_DEPTH} deep`)
    this.numbers.set(value, this.numbered.push(value) - 1)

    if (typeof (value as Partial<Handle>)[PACK] === 'function') {
      const { kind, state } = this.packing.handle(value as Handle)
      return this.apart(value, [Tag.Handle, kind], state, depth, '<state>')
    }
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype) return this.fields([Tag.Object], value, depth)
    if (prototype === null) return this.fields([Tag.NullObject], value, depth)
    if (prototype === Array.prototype && Array.isArray(value)) return this.array(value, depth)
    const registered = registry().byPrototype.get(prototype as object)
    if (registered !== undefined && (registered.encode !== undefined || !isError(value))) {
      return this.registered(registered, value, depth)
    }
    if (isError(value)) return this.error(value, prototype as object, registered, depth)
    return this.builtIn(value, prototype as object, depth) ?? this.liveOrRefused(value, depth)
  }

  /** The classes of the language, by prototype, so that subclasses are refused, and then by brand. */
  private builtIn(value: object, prototype: object, depth: number): Node | undefined {
    if (ArrayBuffer.isView(value)) return this.view(value, prototype, depth)
    if (types.isAnyArrayBuffer(value)) {
      if (prototype === ArrayBuffer.prototype) return this.buffer(value as ArrayBuffer, depth)
      if (types.isSharedArrayBuffer(value)) return [Tag.Buffer, this.memory(value, depth)]
      return undefined
    }
    if (prototype === Map.prototype && types.isMap(value)) return this.map(value, depth)
    if (prototype === Set.prototype && types.isSet(value)) return this.set(value, depth)
    if (prototype === Date.prototype && types.isDate(value)) {
      this.refuseFields(value, depth)
      return [Tag.Date, value.getTime()]
    }
    if (prototype === RegExp.prototype && types.isRegExp(value)) {
      this.refuseFields(value, depth)
      return [Tag.RegExp, this.node(value.source, depth + 1), value.flags]
    }
    if (types.isBoxedPrimitive(value)) {
      const primitive: unknown = value.valueOf()
      // A String object's own keys are its characters.
      const own = typeof primitive === 'string' ? primitive.length : 0
      if (Object.getPrototypeOf(Object(primitive)) !== prototype || typeof primitive === 'symbol') return undefined
      if (Object.keys(value).length !== own) this.refuse(depth, 'a boxed primitive with extra properties')
      return [Tag.Boxed, this.node(primitive, depth + 1)]
    }
    return undefined
  }

  private fields(node: Node, value: object, depth: number): Node {
    for (const key of Object.keys(value)) this.field(node, value, key, depth)
    return node
  }

  private field(node: Node, value: object, key: string, depth: number): void {
    this.path[depth] = key
    if (key === '__proto__') {
      if (this.lenient) return
      this.refuse(depth + 1, 'a property with this name, which is not safe to carry')
    }
    const field = this.read(value, key)
    node.push(isOdd(key) ? this.bytes.addText(key) : key, this.node(field, depth + 1))
  }

  /** The property's value. If the getter throws and the writer is lenient, a description. */
  private read(value: object, key: string): unknown {
    if (!this.lenient) return (value as Record<string, unknown>)[key]
    try {
      return (value as Record<string, unknown>)[key]
    } catch {
      return '[a getter that throws]'
    }
  }

  private array(value: readonly unknown[], depth: number): Node {
    const { length } = value
    const node: Node = [Tag.Array]
    for (let i = 0; i < length; i++) {
      this.path[depth] = i
      const item = value[i]
      if (item === undefined && !Object.hasOwn(value, i)) return this.sparse(value, depth, node, i)
      node.push(this.node(item, depth + 1))
    }
    if (!this.lenient && hasExtraKeys(value)) this.refuse(depth, 'an array with extra properties')
    return node
  }

  /** From the first hole on goes by keys: a sparse array may be long and hold little. */
  private sparse(value: readonly unknown[], depth: number, dense: Node, hole: number): Node {
    const node: Node = [Tag.Sparse, value.length]
    for (let i = 0; i < hole; i++) node.push(i, dense[i + 1])
    const keys = Object.keys(value)
    for (let k = hole; k < keys.length; k++) {
      const index = Number(keys[k])
      // Keys that are indexes come first, in order. Any other key is an extra property.
      if (!(index >= 0 && index < value.length && String(index) === keys[k])) {
        if (this.lenient) continue
        this.refuse(depth, 'an array with extra properties')
      }
      this.path[depth] = index
      node.push(index, this.node(value[index], depth + 1))
    }
    return node
  }

  private map(value: Map<unknown, unknown>, depth: number): Node {
    this.refuseFields(value, depth)
    const node: Node = [Tag.Map]
    for (const [key, item] of value) {
      this.path[depth] = { text: '.<key>' }
      const keyNode = this.node(key, depth + 1)
      this.path[depth] = { text: `.get(${typeof key === 'string' ? JSON.stringify(key) : describe(key)})` }
      node.push(keyNode, this.node(item, depth + 1))
    }
    return node
  }

  private set(value: Set<unknown>, depth: number): Node {
    this.refuseFields(value, depth)
    const node: Node = [Tag.Set]
    this.path[depth] = { text: '.<item>' }
    for (const item of value) node.push(this.node(item, depth + 1))
    return node
  }

  private refuseFields(value: object, depth: number): void {
    if (this.lenient) return
    const extra = Object.keys(value)[0]
    if (extra !== undefined) this.refuse(depth, `a ${className(value)} with an extra property, ${extra}`)
  }

  private registered(entry: RegisteredType, value: object, depth: number): Node {
    if (entry.encode !== undefined) {
      return this.apart(value, [Tag.Custom, entry.name], entry.encode(value as never), depth, `<${entry.name}.encode>`)
    }
    if (isExotic(value)) {
      this.refuse(depth, `a \`${entry.name}\`, whose fields do not show what it holds (give registerType an encode)`)
    }
    const node: Node = [Tag.Fields, entry.name]
    for (const key of Object.keys(value)) this.field(node, value, key, depth)
    return node
  }

  /** A node whose object is made after its content has arrived. So the content must not refer to the object. */
  private apart(value: object, node: Node, content: unknown, depth: number, name: string): Node {
    this.open.add(value)
    this.path[depth] = { text: `.${name}` }
    try {
      node.push(this.node(content, depth + 1))
    } finally {
      this.open.delete(value)
    }
    return node
  }

  private error(error: object, prototype: object, registered: RegisteredType | undefined, depth: number): Node {
    const [kind, name] = classify(error, prototype, registered)
    const node: Node = [Tag.Error, kind, name, 0]
    let hidden = 0
    for (const key of hiddenErrorKeys) {
      // Asking for `stack` formats it, which calls the error's own getters.
      const own = attempt(() => Object.getOwnPropertyDescriptor(error, key)) as PropertyDescriptor | undefined
      if (own?.enumerable) continue
      const told = attempt(() => (error as unknown as Record<string, unknown>)[key])
      const isText = typeof told === 'string'
      if (own === undefined ? !isText || !isInherited(key, kind) : key === 'stack' && !isText) continue
      this.path[depth] = key
      node.push(key, this.node(told, depth + 1))
      hidden++
    }
    node[3] = hidden
    for (const key of Object.keys(error)) this.field(node, error, key, depth)
    return node
  }

  private buffer(value: ArrayBuffer, depth: number): Node {
    if ((value as { resizable?: boolean }).resizable) this.refuse(depth, 'a resizable ArrayBuffer')
    if (isDetached(value)) this.refuse(depth, 'a detached ArrayBuffer')
    const index = this.memory(value, depth)
    this.bytes.showAll(index)
    return [Tag.Buffer, index]
  }

  private view(value: ArrayBufferView, prototype: object, depth: number): Node | undefined {
    const name = prototype === Buffer.prototype ? 'Uint8Array' : className(value)
    const kind = viewKinds.indexOf(name)
    if (kind < 0 || (prototype !== Buffer.prototype && prototype !== realmClass(name).prototype)) return undefined
    if (isDetached(value.buffer)) this.refuse(depth, 'a view of a detached ArrayBuffer')
    const index = this.memory(value.buffer, depth)
    const node: Node = [Tag.View, kind, index, value.byteOffset, value.byteLength]
    this.bytes.show(index, node)
    return node
  }

  /** The index of this memory in the table. */
  private memory(buffer: ArrayBufferLike, depth: number): number {
    if (types.isSharedArrayBuffer(buffer) && !(this.packing.attachments && this.packing.sharedMemory)) {
      const reason = 'a SharedArrayBuffer, which can only go where memory is shared'
      throw new MpError('MP_NOT_SHAREABLE', this.message(depth, reason))
    }
    return this.bytes.add(buffer)
  }

  private message(depth: number, reason: string): string {
    return `Cannot encode ${pathText(this.name, this.path, depth)}: ${reason}`
  }

  private refuse(depth: number, reason: string): never {
    throw new MpError('MP_ENCODE', this.message(depth, reason))
  }

  /**
   * A live object that the user transfers travels beside the bytes, and so does the copy of one that can be copied. Every
   * other instance is refused, with its class.
   */
  private liveOrRefused(value: object, depth: number): Node {
    if (this.packing.transfers(value)) {
      if (this.packing.attachments) return [Tag.Attached, this.packing.attach(value)]
      const reason = `a ${className(value)} in the transfer list, which this transport cannot carry`
      throw new MpError('MP_NOT_SUPPORTED', this.message(depth, reason))
    }
    const name = className(value)
    const live = this.lenient ? undefined : copyLive(value)
    if (live !== undefined && !this.packing.attachments) this.refuse(depth, `a ${name}, which cannot leave its process`)
    if (live === 'moved') this.refuse(depth, `a ${name}, which must be in the transfer list of a send`)
    if (live === 'lost') this.refuse(depth, `a ${name}, which would lose its class in this version of Node.js`)
    if (live) return [Tag.Attached, this.packing.attach(live.copy)]
    if (types.isPromise(value)) return this.refuse(depth, 'a promise')
    if (types.isWeakMap(value) || types.isWeakSet(value) || value instanceof WeakRef) {
      return this.refuse(depth, `a ${name}: weak references stay where they are`)
    }
    return this.refuse(depth, `an instance of \`${name}\`, a class that is not registered (see registerType)`)
  }
}

function pathText(name: string, path: readonly Step[], depth: number): string {
  let text = name
  for (let i = 0; i < depth; i++) {
    // Of a very long path, the beginning tells where to look.
    if (i === 20) return `${text}... (${depth} deep)`
    const step = path[i] as Step
    if (typeof step === 'object') text += step.text
    else if (typeof step === 'number') text += `[${step}]`
    else text += /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`
  }
  return text
}
