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
 * What a message between threads does with an object of such a class. It takes a copy along, which this gives, or it moves the
 * object. 'lost': the copy would be something else, since Node.js 20 makes a File a Blob. Undefined for every other object, also for
 * one of a class of the user's with such a name.
 */
export function copyLive(value: object): { readonly copy: object } | 'moved' | 'lost' | undefined {
  const name = className(value)
  if (!MOVED.has(name) && !CLONED.has(name)) return undefined
  const copy = attempt(() => structuredClone(value))
  if (MOVED.has(name)) return copy === undefined ? 'moved' : undefined
  if (!isPlatforms(copy)) return undefined
  // What an ELDHistogram measures goes on where it was made: elsewhere it is only a Histogram.
  return className(copy) === name || name === 'ELDHistogram' ? { copy } : 'lost'
}

/** Whether an attachment must be in the transfer list of a `postMessage`. Shared memory and copies of live objects must not. */
export function isTransferred(attachment: object): boolean {
  return !types.isSharedArrayBuffer(attachment) && !CLONED.has(className(attachment))
}

/** Structured clone makes a plain object of an instance that it does not know. */
function isPlatforms(clone: unknown): clone is object {
  return typeof clone === 'object' && clone !== null && Object.getPrototypeOf(clone) !== Object.prototype
}
