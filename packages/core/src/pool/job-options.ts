import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import { checkCount, checkKeys, checkMilliseconds } from './option-check.js'

/** How a job may be ended before it is done. */
export interface JobOptions extends WaitOptions {
  /**
   * How many ms a running task has to return after its job was aborted or timed out; `currentTask().signal` tells it. Then its
   * worker is killed and replaced. 1000 where absent; Infinity: never.
   */
  grace?: number | undefined
}

export interface Progress {
  /** How many items are done, failed ones too. */
  readonly done: number
  /** How many items there are; undefined until the input was read to its end. */
  readonly total: number | undefined
}

export interface MapOptions extends JobOptions {
  /** Items that travel together, and count as one task. `ceil(length / (4 * workers))` where absent, and 1 for an async input. */
  chunksize?: number | undefined
  /** Called after each chunk. What it throws rejects the map. */
  onProgress?: ((progress: Progress) => void) | undefined
  /** Rejects as soon as a call fails, and drops what has not begun. Where absent or false it rejects when all calls are through. */
  failFast?: boolean | undefined
}

export interface ImapOptions extends JobOptions {
  /** Items that travel together, and count as one task; 1 where absent. */
  chunksize?: number | undefined
  /** Items that may have been read and not yet been taken as results. 16 chunks for each worker where absent. */
  buffersize?: number | undefined
}

/** `grace` where absent, ms. */
export const DEFAULT_GRACE = 1000

export interface CloseOptions {
  /** Jobs of which a task is queued reject with MP_CLOSED. */
  cancelQueued?: boolean | undefined
}

const WAIT = ['timeout', 'signal']
const JOB = [...WAIT, 'grace']
const MAP = [...JOB, 'chunksize', 'onProgress', 'failFast']
const IMAP = [...JOB, 'chunksize', 'buffersize']

/** Checks the options of a call that waits for the pool. */
export function checkPoolWait(what: string, options: WaitOptions | undefined): void {
  checkWait(options)
  checkKeys(what, options, WAIT)
}

export function checkClose(options: CloseOptions | undefined): void {
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw new TypeError('close() takes an object of options, such as { cancelQueued: true }')
  }
  checkKeys('close()', options, ['cancelQueued'])
  checkFlag('cancelQueued', options?.cancelQueued)
}

export function checkCall(options: JobOptions | undefined): void {
  checkJob('apply()', options, JOB)
}

function checkJob(what: string, options: JobOptions | undefined, known: readonly string[]): void {
  checkWait(options)
  checkKeys(what, options, known)
  if (options?.grace !== undefined) checkMilliseconds('grace', options.grace)
}

export function checkMap(options: MapOptions): void {
  checkJob('a map', options, MAP)
  const { chunksize, onProgress, failFast } = options
  checkCount('chunksize', chunksize)
  if (onProgress !== undefined && typeof onProgress !== 'function') {
    throw new TypeError(`onProgress must be a function, not ${typeof onProgress}`)
  }
  checkFlag('failFast', failFast)
}

export function checkImap(options: ImapOptions): void {
  checkJob('an imap', options, IMAP)
  checkCount('chunksize', options.chunksize)
  checkCount('buffersize', options.buffersize)
}

function checkFlag(name: string, flag: unknown): void {
  if (flag !== undefined && typeof flag !== 'boolean') {
    throw new TypeError(`${name} must be a boolean, not ${typeof flag}`)
  }
}

export function checkItems(items: unknown): void {
  const object = Object(items) as object
  if (items === null || items === undefined || !(Symbol.iterator in object || Symbol.asyncIterator in object)) {
    throw new TypeError('items must be iterable, or async iterable')
  }
}
