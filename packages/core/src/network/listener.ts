import type { Context } from '../context/context.js'
import { networkOf } from '../context/network-transport.js'
import { MpError } from '../errors.js'
import { RelayedEnd } from '../link/relayed-end.js'
import { Connection } from '../pipe/connection.js'
import { linkedConnection } from '../pipe/pipe.js'
import type { Queue } from '../queue/queue.js'
import { Deque } from '../runtime/deque.js'
import { Pending } from '../runtime/pending-call.js'
import { WaitList } from '../runtime/wait-list.js'
import { checkWait, type WaitOptions } from '../runtime/wait-options.js'
import type { Listening, NetworkWire } from '../transport/network.js'
import type { NetworkTransport } from '../transport/transport.js'
import type { Wire } from '../transport/wire.js'
import { type Introduction, introduce, receiveStranger, turnAway } from './handshake.js'
import { answerRequest, checkServed, WANTS_CONNECTION, WANTS_QUEUE } from './served-queue.js'

/** The most connections that have not shown the key. One more, and the oldest is turned away. Each may take 5 s, and some 70 KB. */
const MOST_STRANGERS = 1000
/** The most connections, and refusals, that wait for an `accept`. More connections are turned away. */
const MOST_WAITING = 256
/** Refusals are forgotten earlier: who does not know the key must not fill the room of those who do. */
const MOST_REFUSALS = 64
/** The answer to a client that has a connection. */
const WELCOME = Uint8Array.of(0)

/**
 * Listens at an address where programs that know the key connect. It does not keep this program alive; a pending `accept` or
 * `serve` does.
 */
export class Listener implements AsyncIterable<Connection> {
  readonly #context: Context
  readonly #transport: NetworkTransport
  readonly #key: Uint8Array
  #listening!: Listening
  #closed = false
  readonly #strangers = new Set<() => void>()
  /** Never both non-empty: what has come, and who waits for it. */
  readonly #arrived = new Deque<Connection | MpError>()
  readonly #accepting = new WaitList<Pending<Connection>>()
  readonly #serving = new Set<Pending<void>>()
  readonly #queues = new Map<string, Queue>()

  private constructor(context: Context, transport: NetworkTransport, key: Uint8Array) {
    this.#context = context
    this.#transport = transport
    this.#key = key
  }

  /** @internal Users call `listen` of their transport's package. */
  static async open(
    context: Context,
    transport: NetworkTransport,
    address: string | undefined,
    key: Uint8Array,
  ): Promise<Listener> {
    const listener = new Listener(context, transport, key)
    listener.#listening = await transport.network.listen(address, wire => listener.#meet(wire))
    return listener
  }

  /** The address that others connect to. */
  get address(): string {
    return this.#listening.address
  }

  /**
   * Gives the next connection, also one whose other side has already written and closed. Rejects with MP_AUTH when somebody
   * connected who does not know the key (the listener goes on), with MP_TIMEOUT, and with MP_CLOSED once the listener is closed.
   */
  accept(options?: WaitOptions): Promise<Connection> {
    try {
      const limit = checkWait(options)
      if (this.#closed) throw this.#closedError()
      const arrived = this.#arrived.shift()
      if (arrived instanceof MpError) throw arrived
      if (arrived) return Promise.resolve(arrived)
      const pending = new Pending<Connection>()
      this.#accepting.push(pending)
      return pending.limit(
        options,
        () => pending.reject(new MpError('MP_TIMEOUT', `nobody connected within ${limit} ms`)),
        () => void this.#accepting.delete(pending),
      ).promise
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Lets everyone who knows the key open these queues by their names. The promise resolves when the listener is closed, or rejects
   * with the signal's reason. From then on the names are free again; queues that were opened stay open. Rejects with
   * MP_NOT_SHAREABLE for a queue that was made in another context, and with MP_INVALID_STATE for a name that is taken.
   */
  serve(queues: Readonly<Record<string, Queue>>, options?: { signal?: AbortSignal }): Promise<void> {
    try {
      checkWait(options)
      if (this.#closed) throw this.#closedError()
      const entries = Object.entries(queues) as [string, unknown][]
      for (const [name, queue] of entries) {
        checkServed(name, queue, this.#transport)
        if (this.#queues.has(name))
          throw new MpError('MP_INVALID_STATE', `a queue of the name '${name}' is served already`)
      }
      for (const [name, queue] of entries) this.#queues.set(name, queue as Queue)
      const pending = new Pending<void>()
      this.#serving.add(pending)
      const forget = () => {
        this.#serving.delete(pending)
        for (const [name] of entries) this.#queues.delete(name)
      }
      return pending.limit({ signal: options?.signal }, () => {}, forget).promise
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Nobody can connect any more, and pending `accept`s reject with MP_CLOSED. Connections that were accepted go on. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const cut of [...this.#strangers]) cut()
    for (const each of this.#arrived) if (each instanceof Connection) void each.close()
    this.#arrived.clear()
    for (const pending of this.#accepting) pending.reject(this.#closedError())
    this.#accepting.clear()
    for (const pending of this.#serving) pending.resolve()
    this.#serving.clear()
    this.#queues.clear()
    await this.#listening[Symbol.asyncDispose]()
  }

  /** Gives each connection as it comes, until the listener is closed. Passes over those who do not know the key. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Connection, void, undefined> {
    for (;;) {
      let connection: Connection | undefined
      try {
        connection = await this.accept()
      } catch (error) {
        if (!(error instanceof MpError) || (error.code !== 'MP_AUTH' && error.code !== 'MP_CLOSED')) throw error
        if (error.code === 'MP_CLOSED') return
      }
      if (connection) yield connection
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #meet(stranger: NetworkWire): void {
    if (this.#closed) return stranger.close()
    const [oldest] = this.#strangers
    if (this.#strangers.size >= MOST_STRANGERS) oldest?.()
    const cut = receiveStranger(stranger, this.#key, {
      request: (wire, wanted) => this.#answer(wire, wanted),
      refused: error => this.#give(error),
      over: () => void this.#strangers.delete(cut),
    })
    this.#strangers.add(cut)
  }

  #answer(wire: Wire, wanted: Uint8Array): void {
    if (this.#closed) return wire.close()
    if (wanted[0] === WANTS_CONNECTION[0]) {
      if (this.#accepting.length === 0 && this.#arrived.length >= MOST_WAITING) return turnAway(wire)
      wire.send(WELCOME.slice())
      this.#give(connectionOver(wire, this.#context, this.#transport, false))
    } else if (wanted[0] === WANTS_QUEUE[0])
      answerRequest(wire, Buffer.from(wanted.subarray(1)).toString(), this.#queues, this.#transport)
    else wire.close()
  }

  #give(arrived: Connection | MpError): void {
    const pending = this.#accepting.shift()
    if (!pending) {
      if (arrived instanceof Connection || this.#arrived.length < MOST_REFUSALS) this.#arrived.push(arrived)
    } else if (arrived instanceof Connection) pending.resolve(arrived)
    else pending.reject(arrived)
  }

  #closedError(): MpError {
    return new MpError('MP_CLOSED', `this Listener is closed (${this.#transport.name})`)
  }
}

/** One end of a pipe whose other end belongs to another program. */
function connectionOver(wire: Wire, context: Context, transport: NetworkTransport, first: boolean): Connection {
  const side = { first, readable: true, writable: true }
  return linkedConnection(context, networkOf(transport), side, new RelayedEnd(wire))
}

/** @internal Users call `connect` of their transport's package. */
export async function connectTo(
  context: Context,
  transport: NetworkTransport,
  address: string,
  { key, signal }: Pick<Introduction, 'key' | 'signal'>,
): Promise<Connection> {
  const dial = () => transport.network.dial(address)
  const { wire } = await introduce(dial, { key, wanted: WANTS_CONNECTION, signal })
  return connectionOver(wire, context, transport, true)
}
