import type { Context } from '../context/context.js'
import { currentContext } from '../context/current-context.js'
import type { Connection } from '../pipe/connection.js'
import type { Queue } from '../queue/queue.js'
import { checkSockets } from '../runtime/host.js'
import type { NetworkTransport } from '../transport/transport.js'
import { checkKey } from './handshake.js'
import { connectTo, Listener } from './listener.js'
import { openServedQueue } from './served-queue.js'

export interface ListenOptions {
  /** The key that both sides know, as text or bytes. It may have any length; an empty key keeps nobody out. */
  authKey: string | Uint8Array
}

export interface ConnectOptions extends ListenOptions {
  /** Aborting rejects the call with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** How unrelated programs meet. Packages whose transport declares the capability `network` export this. */
export interface NetworkContext {
  /**
   * Listens at `address`, the path of a socket; where absent, at a new one that only this user can reach. Replaces what a killed
   * listener has left. Rejects with the system's error: EADDRINUSE where somebody listens there.
   */
  listen(options: ListenOptions): Promise<Listener>
  listen(address: string | undefined, options: ListenOptions): Promise<Listener>
  /**
   * Connects to a Listener, whose `accept` gives the other end of the Connection. Values, bytes and errors travel over it, handles
   * do not. Rejects with MP_AUTH where the keys differ, with MP_BUSY where the Listener has too much to do, or with the system's error
   * (ENOENT, ECONNREFUSED).
   */
  connect<S = unknown, R = S>(address: string, options: ConnectOptions): Promise<Connection<S, R>>
  /**
   * Opens a queue that a Listener serves. Rejects with MP_INVALID_STATE where it serves none of that name, otherwise as `connect`.
   * Calls of the queue reject with MP_SHUT_DOWN once the program that serves it has ended.
   */
  openQueue<T = unknown>(address: string, name: string, options: ConnectOptions): Promise<Queue<T>>
}

export function bindNetwork(transport: NetworkTransport): NetworkContext {
  return {
    listen: async (first: ListenOptions | string | undefined, second?: ListenOptions) => {
      const [address, options] =
        second === undefined && typeof first === 'object' ? [undefined, first] : [first as string | undefined, second]
      if (address !== undefined) checkAddress(address)
      const key = checkKey(checkOptions(options, ['authKey']).authKey)
      return Listener.open(contextToFlush(), transport, address, key)
    },
    connect: async <S, R>(address: string, options: ConnectOptions) => {
      const found = await connectTo(contextToFlush(), transport, checkAddress(address), checkConnect(options))
      return found as Connection<S, R>
    },
    openQueue: async <T>(address: string, name: string, options: ConnectOptions) => {
      const context = contextToFlush()
      const found = await openServedQueue(context, transport, checkAddress(address), name, checkConnect(options))
      return found as Queue<T>
    },
  }
}

function checkConnect(options: ConnectOptions) {
  const { authKey, signal } = checkOptions(options, ['authKey', 'signal'])
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new TypeError('signal must be an AbortSignal')
  const key = checkKey(authKey)
  signal?.throwIfAborted()
  return { key, signal }
}

function checkOptions<T extends ListenOptions>(options: T | undefined, known: readonly string[]): T {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('an address needs options, such as { authKey }: the key that both sides know')
  }
  const unknown = Object.keys(options).find(key => !known.includes(key))
  if (unknown !== undefined) throw new TypeError(`there is no option '${unknown}' here, only ${known.join(', ')}`)
  return options
}

function checkAddress(address: unknown): string {
  if (typeof address === 'string') return address
  throw new TypeError(`an address must be a string, not ${typeof address}`)
}

/** The calling context. Another program gets what this one has sent, also what it sent in its last turn. */
function contextToFlush(): Context {
  checkSockets('a connection at an address')
  const context = currentContext()
  context.flushAtExit()
  return context
}
