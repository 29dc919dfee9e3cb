import type { PackedHandle } from '../codec/handle.js'
import type { HandlePacking } from '../context/message-writer.js'
import type { Collectable } from '../runtime/collection.js'
import type { NativePipe } from '../transport/engines.js'
import { MessageStays, tooLong } from './errors.js'

/** Which of a pipe's two ends it is, and what it may do. */
export interface Side {
  readonly first: boolean
  readonly readable: boolean
  readonly writable: boolean
}

/**
 * What a call wants of the message that it takes:
 *
 * - undefined: its value, whatever that is;
 * - a number: its bytes, at most so many of them;
 * - an array: the number of its bytes, which are copied there.
 */
export type Wanted = number | Uint8Array | undefined

/** What `find` has found: a message ('done'), none yet, or that none will come any more. */
export type Found = 'done' | 'empty' | 'over'

/**
 * One end of a pipe, as the medium has it. The Connection above it checks arguments and directions, and that the end is open.
 * The Connection also keeps the calls that wait, and looks again when it is woken. What a member throws, the user's call
 * rejects with.
 */
export interface PipeBackend extends Collectable {
  /** Undefined where the medium cannot block a thread. */
  readonly blocking: BlockingPipeBackend | undefined
  /** The error because of which `find` gives 'over'; undefined where the other end was closed in order. */
  readonly error: Error | undefined
  /**
   * Sends a value as it is now. The promise is that of the user's call. Throws MP_BROKEN_PIPE where the other end is gone,
   * and MP_ENCODE; nothing is sent then.
   */
  send(value: unknown, transfer: readonly object[] | undefined): Promise<void>
  /** As `send`, for a Uint8Array of any class, which arrives as a plain one. */
  sendBytes(bytes: Uint8Array): Promise<void>
  /** Looks for the oldest message, which stays until `take`. */
  find(): Found
  /** Looks for some microseconds, where that is quicker than to be woken. Whether there may be something to find now. */
  spin(): boolean
  /**
   * Takes the message that `find` has found. Throws MP_DECODE for one that is not the bytes that are wanted, and
   * MP_BUFFER_TOO_SHORT for too many of them: it stays then, to be found again.
   */
  take(wanted: Wanted): unknown
  /**
   * Calls `wake` once, when `find` may find something else than 'empty'; a later call replaces the earlier one. `wake` gives
   * false where it had no use for that.
   */
  watch(wake: () => boolean): void
  /** Forgets the `wake` of the last `watch`. */
  unwatch(): void
  /** Closes this end. What was sent arrives; then the other end finds 'over'. What has come and was not taken is discarded. */
  close(): void
  /** Moves this end, with all that was not taken, once `packing` commits. Until then, and after a rollback, it can be used. */
  pack(packing: HandlePacking): PackedHandle
}

/** A backend whose medium can block the calling thread. Deadlines are as performance.now() counts. */
export interface BlockingPipeBackend extends PipeBackend {
  /**
   * The native pipe, while its oldest record is the oldest message: a call can take that without this backend. Undefined
   * before the first use of this end, and while part of a message, or a whole one, has left the pipe.
   */
  readonly direct: NativePipe | undefined
  /** As `send`, but blocks while there is no room, until `deadline`: MP_TIMEOUT, and nothing was sent. */
  sendSync(value: unknown, transfer: readonly object[] | undefined, deadline: number): void
  sendBytesSync(bytes: Uint8Array, deadline: number): void
  /**
   * As `find`, but blocks while that gives 'empty', for at most `timeout` ms. A large message of bytes may be put together
   * in `room`, of which the contents are undefined unless the same array is then given to `take`.
   */
  findSync(timeout: number | undefined, room: Uint8Array | undefined): Found
}

/** Gives the bytes of a message as the call wants them. */
export function giveBytes(bytes: Uint8Array, wanted: number | Uint8Array): Uint8Array | number {
  checkRoom(bytes.length, wanted)
  if (typeof wanted === 'number') return bytes
  wanted.set(bytes)
  return bytes.length
}

/** Throws {@link MessageStays} where the call has no room for `length` bytes. */
export function checkRoom(length: number, wanted: number | Uint8Array): void {
  const room = typeof wanted === 'number' ? wanted : wanted.length
  if (length > room) throw new MessageStays(tooLong(length, room))
}
