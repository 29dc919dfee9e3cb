import { MpError } from '../errors.js'
import { allocate } from '../runtime/byte-buffer.js'
import { malformed } from './decode-error.js'
import { makeError } from './error-class.js'
import { hiddenErrorKeys, MAX_DEPTH, Tag, viewKinds } from './graph-format.js'
import type { Unpacking } from './handle.js'
import { registry } from './registered-type.js'
import { realmClass } from './value-kinds.js'

type Node = readonly unknown[]

/** Stands in the place of an object whose content is still being read. */
const UNFINISHED = Symbol('unfinished')

/** Makes a value from the tree that a `GraphWriter` wrote. The tree was well-formed msgpack, but may be hostile: every node is checked. */
export class GraphReader {
  /** What `unpacking` threw. It is passed on as it is. */
  thrown: unknown
  private readonly unpacking: Unpacking
  private readonly objects: unknown[] = []
  private readonly buffers: ArrayBufferLike[] = []

  constructor(unpacking: Unpacking) {
    this.unpacking = unpacking
  }

  /** Reads the whole of `tree`; its runs of bytes are exactly `bytes[start, end)`, and are copied. */
  read(tree: unknown, bytes: Uint8Array, start: number, end: number): unknown {
    if (!Array.isArray(tree) || tree.length < 1 || tree.length > 2) throw malformed('a tree')
    let position = start
    for (const entry of tree.length > 1 ? array(tree[1]) : []) {
      const size = integer(entry)
      if (size < 0) {
        this.buffers.push(this.attachedBuffer(-1 - size))
      } else {
        if (size > end - position) throw malformed('the length of bytes')
        this.buffers.push(copyBytes(bytes, position, position + size).buffer)
        position += size
      }
    }
    if (position !== end) throw malformed('the length of bytes')
    return this.node(tree[0], 0)
  }

  /** A view of the whole of an attachment. */
  attachedBytes(index: number): Uint8Array {
    return new Uint8Array(this.attachedBuffer(index))
  }

  private node(node: unknown, depth: number): unknown {
    if (typeof node !== 'object' || node === null) return node
    if (!Array.isArray(node)) throw malformed('a node')
    if (depth > MAX_DEPTH) throw malformed('the depth')
    switch (node[0]) {
      case Tag.Undefined:
        return undefined
      case Tag.NegativeZero:
        return -0
      case Tag.BigInt:
        return bigint(text(node[1]))
      case Tag.Text:
        return this.text(node)
      case Tag.Reference:
        return this.reference(node)
      case Tag.Object:
        return this.fields({}, node, 1, depth)
      case Tag.NullObject:
        return this.fields(Object.create(null) as object, node, 1, depth)
      case Tag.Array:
        return this.array(node, depth)
      case Tag.Sparse:
        return this.sparse(node, depth)
      case Tag.Map:
        return this.map(node, depth)
      case Tag.Set:
        return this.set(node, depth)
      case Tag.Date:
        if (typeof node[1] !== 'number') throw malformed('a date')
        return this.keep(new Date(node[1]))
      case Tag.RegExp:
        return this.keep(this.regExp(node, depth))
      case Tag.Boxed:
        return this.keep(this.boxed(node, depth))
      case Tag.Buffer:
        return this.keep(this.bufferAt(node[1]))
      case Tag.View:
        return this.keep(this.view(node))
      case Tag.Error:
        return this.error(node, depth)
      case Tag.Fields:
      case Tag.Custom:
        return this.registered(node, depth)
      case Tag.Handle:
        return this.handle(node, depth)
      case Tag.Attached:
        return this.keep(this.attachment(integer(node[1])))
      default:
        throw malformed('a tag')
    }
  }

  /** Gives the object the next number. */
  private keep<T>(object: T): T {
    this.objects.push(object)
    return object
  }

  private reference(node: Node): unknown {
    const number = integer(node[1])
    if (number < 0 || number >= this.objects.length) throw malformed('a reference')
    const object = this.objects[number]
    if (object === UNFINISHED) throw malformed('a reference')
    return object
  }

  private fields<T extends object>(object: T, node: Node, start: number, depth: number): T {
    this.keep(object)
    return this.fill(object, node, start, depth)
  }

  private fill<T extends object>(object: T, node: Node, start: number, depth: number): T {
    if ((node.length - start) % 2 !== 0) throw malformed('an object')
    for (let i = start; i < node.length; i += 2) {
      const key = this.key(node[i])
      const value = this.node(node[i + 1], depth + 1)
      // The prototype's property of this name may be a setter, or read-only where intrinsics are frozen.
      if (key in object) define(object, key, value, true)
      else (object as Record<string, unknown>)[key] = value
    }
    return object
  }

  private key(node: unknown): string {
    const key = Array.isArray(node) && node[0] === Tag.Text ? this.text(node) : text(node)
    if (key === '__proto__') throw malformed('a key')
    return key
  }

  private array(node: Node, depth: number): unknown[] {
    const result: unknown[] = this.keep([])
    for (let i = 1; i < node.length; i++) result.push(this.node(node[i], depth + 1))
    return result
  }

  private sparse(node: Node, depth: number): unknown[] {
    const result: unknown[] = this.keep([])
    const length = integer(node[1])
    if (length < 0 || length > 0xffff_ffff || node.length % 2 !== 0) throw malformed('a sparse array')
    let last = -1
    for (let i = 2; i < node.length; i += 2) {
      const index = integer(node[i])
      if (index <= last || index >= length) throw malformed('an index')
      last = index
      result[index] = this.node(node[i + 1], depth + 1)
    }
    result.length = length
    return result
  }

  private map(node: Node, depth: number): Map<unknown, unknown> {
    const result = this.keep(new Map<unknown, unknown>())
    if (node.length % 2 !== 1) throw malformed('a map')
    for (let i = 1; i < node.length; i += 2) {
      const key = this.node(node[i], depth + 1)
      result.set(key, this.node(node[i + 1], depth + 1))
    }
    return result
  }

  private set(node: Node, depth: number): Set<unknown> {
    const result = this.keep(new Set<unknown>())
    for (let i = 1; i < node.length; i++) result.add(this.node(node[i], depth + 1))
    return result
  }

  private regExp(node: Node, depth: number): RegExp {
    return new RegExp(text(this.node(node[1], depth + 1)), text(node[2]))
  }

  private boxed(node: Node, depth: number): object {
    const primitive = this.node(node[1], depth + 1)
    if (!['string', 'number', 'boolean', 'bigint'].includes(typeof primitive)) throw malformed('a boxed primitive')
    return Object(primitive) as object
  }

  private bufferAt(index: unknown): ArrayBufferLike {
    const buffer = this.buffers[integer(index)]
    if (buffer === undefined) throw malformed('an index of bytes')
    return buffer
  }

  private view(node: Node): object {
    const buffer = this.bufferAt(node[2])
    const [offset, size] = range(node, buffer)
    const name = viewKinds[integer(node[1])]
    if (name === undefined) throw malformed('the kind of a view')
    const type = realmClass(name) as unknown as {
      new (buffer: ArrayBufferLike, offset: number, length: number): object
      readonly BYTES_PER_ELEMENT?: number
    }
    if (type === undefined) throw new MpError('MP_DECODE', `Cannot decode: this version of Node.js has no ${name}`)
    return new type(buffer, offset, wholeNumber(size / (type.BYTES_PER_ELEMENT ?? 1)))
  }

  private text(node: Node): string {
    const buffer = this.bufferAt(node[2])
    const [offset, size] = range(node, buffer)
    return Buffer.from(buffer as ArrayBuffer, offset, wholeNumber(size / 2) * 2).toString('utf16le')
  }

  private error(node: Node, depth: number): Error {
    const error = withoutStack(() => makeError(node[1], text(node[2])))
    this.keep(error)
    // The error has no stack of this side. It is redefined, not deleted, or Node would show this file's line above the error.
    Object.defineProperty(error, 'stack', { value: undefined, configurable: true, writable: true })
    const hidden = integer(node[3])
    const fields = 4 + 2 * hidden
    if (hidden < 0 || fields > node.length || node.length % 2 !== 0) throw malformed('an error')
    for (let i = 4; i < node.length; i += 2) {
      const key = this.key(node[i])
      if (i < fields && !hiddenErrorKeys.includes(key)) throw malformed('a hidden property')
      define(error, key, this.node(node[i + 1], depth + 1), i >= fields)
    }
    return error
  }

  private registered(node: Node, depth: number): unknown {
    const name = text(node[1])
    const entry = registry().byName.get(name)
    if (entry === undefined) {
      throw new MpError('MP_DECODE', `Cannot decode \`${name}\`: the class is not registered here (see registerType)`)
    }
    const number = this.objects.push(UNFINISHED) - 1
    if (node[0] === Tag.Fields && entry.decode === undefined) {
      const object = Object.create(entry.type.prototype as object) as object
      this.objects[number] = object
      return this.fill(object, node, 2, depth)
    }
    const data = node[0] === Tag.Fields ? this.fill({}, node, 2, depth) : this.node(node[2], depth + 1)
    let object: unknown
    if (entry.decode === undefined) {
      object = Object.assign(Object.create(entry.type.prototype as object) as object, data)
    } else {
      try {
        object = entry.decode(data as never)
      } catch (error) {
        throw new MpError('MP_DECODE', `Cannot decode \`${name}\`: its decode threw`, { cause: error })
      }
    }
    this.objects[number] = object
    return object
  }

  private handle(node: Node, depth: number): object {
    const number = this.objects.push(UNFINISHED) - 1
    const kind = text(node[1])
    const state = this.node(node[2], depth + 1)
    const handle = this.outside(() => this.unpacking.handle(kind, state))
    this.objects[number] = handle
    return handle
  }

  private attachment(index: number): object {
    if (index < 0) throw malformed('the index of an attachment')
    return this.outside(() => this.unpacking.attachment(index))
  }

  private attachedBuffer(index: number): ArrayBufferLike {
    const buffer = this.attachment(index)
    if (buffer instanceof ArrayBuffer || buffer instanceof SharedArrayBuffer) return buffer
    throw malformed('an attachment')
  }

  private outside<T>(call: () => T): T {
    try {
      return call()
    } catch (error) {
      this.thrown = error
      throw error
    }
  }
}

/** A copy with a buffer of its own, which keeps nothing of the frame alive. */
export function copyBytes(bytes: Uint8Array, start: number, end: number): Uint8Array<ArrayBuffer> {
  // `slice` is faster for few bytes, but zeroes many first. The `slice` of a Buffer would be no copy.
  const large = end - start >= 16 * 1024
  if (!large && bytes.constructor === Uint8Array) return bytes.slice(start, end)
  const copy = large ? allocate(end - start) : new Uint8Array(end - start)
  copy.set(bytes.subarray(start, end))
  return copy
}

/** The stack of this side would be thrown away. Without it an error is five times as fast to read. */
function withoutStack<T>(make: () => T): T {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return make()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

function define(object: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(object, key, { value, enumerable, configurable: true, writable: true })
}

function bigint(hex: string): bigint {
  return hex.startsWith('-') ? -BigInt(`0x${hex.slice(1)}`) : BigInt(`0x${hex}`)
}

function range(node: Node, buffer: ArrayBufferLike): [offset: number, size: number] {
  const offset = integer(node[3])
  const size = integer(node[4])
  if (offset < 0 || size < 0 || offset + size > buffer.byteLength) throw malformed('a range of bytes')
  return [offset, size]
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw malformed('a text')
  return value
}

function array(value: unknown): Node {
  if (!Array.isArray(value)) throw malformed('an array')
  return value
}

function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw malformed('a number')
  return value as number
}

function wholeNumber(value: number): number {
  if (!Number.isInteger(value)) throw malformed('a length')
  return value
}
