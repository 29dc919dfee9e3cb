import { types } from 'node:util'
import { attempt, className } from './value-kinds.js'

/** Classes, by name, whose instances structured clone copies from thread to thread: the copy stands for the same thing. */
const CLONED: ReadonlySet<string> = new Set([
  'Module', // of WebAssembly
  'Memory', // of WebAssembly; only shared memory
  'SecretKeyObject',
  'PublicKeyObject',
  'PrivateKeyObject',
  'CryptoKey',
  'X509Certificate',
  'Blob',
  'File',
  'Histogram',
  'RecordableHistogram',
  'ELDHistogram',
  'BlockList',
  'SocketAddress',
])

/** Classes, by name, whose instances it only moves. */
const MOVED: ReadonlySet<string> = new Set([
  'MessagePort',
  'FileHandle',
  'ReadableStream',
  'WritableStream',
  'TransformStream',
])

/**
 * What a message between threads does with an object of this kind: it takes a copy along, or it moves the object. Undefined
 * for every other object, also for one of a class of the user's with such a name.
 */
export function liveKind(value: object): 'cloned' | 'moved' | undefined {
  const name = className(value)
  if (MOVED.has(name)) return attempt(() => structuredClone(value)) === undefined ? 'moved' : undefined
  return CLONED.has(name) && isPlatforms(attempt(() => structuredClone(value))) ? 'cloned' : undefined
}

/** The copy of an object that is 'cloned', for the message. Undefined where it would be something else: Node.js 20 makes a File a Blob. */
export function cloneLive(value: object): object | undefined {
  const clone = structuredClone(value)
  // What it measures goes on where it was made: elsewhere it is only a Histogram.
  const same = className(clone) === className(value) || className(value) === 'ELDHistogram'
  return same ? clone : undefined
}

/** Whether an attachment must be in the transfer list of a `postMessage`. Shared memory and copies of live objects must not. */
export function isTransferred(attachment: object): boolean {
  return !types.isSharedArrayBuffer(attachment) && !CLONED.has(className(attachment))
}

/** Structured clone makes a plain object of an instance that it does not know. */
function isPlatforms(clone: unknown): boolean {
  return typeof clone === 'object' && clone !== null && Object.getPrototypeOf(clone) !== Object.prototype
}
