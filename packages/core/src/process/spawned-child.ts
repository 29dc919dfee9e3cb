import { constants } from 'node:os'
import type { ClaimFile } from '../board/claim-file.js'
import type { InheritedFile } from '../board/offer.js'
import type { Child, ChildOwner, Context } from '../context/context.js'
import { readMessage } from '../context/message-reader.js'
import { Envelope, encodeMessage } from '../context/message-writer.js'
import { MpError } from '../errors.js'
import { Channels } from '../link/channels.js'
import { Link, type Message } from '../link/link.js'
import { SPLICE } from '../link/protocol.js'
import { UnreadAnswers } from '../link/unread-answers.js'
import { discardParcels, type Parcel } from '../link/wire-end.js'
import { appendBytes, appendU32, type ByteBuffer, readU32, writeU32 } from '../runtime/byte-buffer.js'
import { hold, release } from '../runtime/keep-alive.js'
import { Pending } from '../runtime/pending-call.js'
import { caughtUp } from '../runtime/turn.js'
import { within } from '../runtime/within.js'
import type { Peer, PeerExit, Transport } from '../transport/transport.js'
import { adopt, type Estate, type Inherited } from './adopt.js'
import * as protocol from './protocol.js'

/** ms that a child's last messages may take to arrive after its end was told. */
const LAST_WORDS = 1000
/** How many answers may wait for a child that does not read. */
const MOST_UNREAD = 100_000

/** One child that was spawned: its link, and how it ended. */
export class SpawnedChild implements Child {
  pid: number | null
  exitCode: number | null = null
  alive = true
  /** Fulfils when the child has found its target. Rejects when it did not find it, or ended before. */
  readonly ready: Promise<void>
  /** Fulfils with the exit code when the child has ended, however it ended. */
  readonly exited: Promise<number>
  /** As `exited`, but rejects when the start failed. */
  readonly over: Promise<number>
  readonly owner: ChildOwner
  readonly id: string
  /** Those of its files that it has inherited. */
  readonly files: readonly InheritedFile[]
  readonly #context: Context
  readonly #transport: Transport
  readonly #peer: Peer
  readonly #link: Link
  readonly #channels: Channels
  readonly #unread = new UnreadAnswers(MOST_UNREAD)
  readonly #ready = new Pending<void>()
  readonly #inherited: Inherited = new Map()
  #startError: unknown
  #killed = false
  #held: boolean
  #answer: Message | undefined
  #outcome: Promise<unknown> | undefined
  #answered!: () => void
  readonly #answeredOrOver: Promise<void>
  #linkClosed!: () => void
  #exit: PeerExit | undefined
  #abort: { signal: AbortSignal; listener: () => void } | undefined

  /** `files`: what the peer was to inherit. */
  constructor(
    owner: ChildOwner,
    context: Context,
    transport: Transport,
    peer: Peer,
    id: string,
    files: readonly ClaimFile[],
  ) {
    this.owner = owner
    this.id = id
    const numbers = peer.inherited ?? []
    this.files = files.flatMap((file, i) => {
      const descriptor = numbers[i]
      if (descriptor !== undefined) return [{ file, descriptor }]
      file.release()
      return []
    })
    this.#context = context
    this.#transport = transport
    this.#peer = peer
    this.pid = peer.pid ?? null
    this.ready = this.#ready.promise
    this.#answeredOrOver = new Promise(resolve => {
      this.#answered = resolve
    })
    const linkClosed = new Promise<void>(resolve => {
      this.#linkClosed = resolve
    })
    this.#link = new Link(peer.wire, transport, {
      message: message => this.#hear(message),
      drained: () => {
        this.#unread.drained()
        this.#channels.drained()
      },
      closed: error => this.#lost(error),
      lost: () => new MpError('MP_WORKER_LOST', `${owner.name} is gone`),
    })
    this.#channels = new Channels(this.#link, 'parent')
    if (!transport.wires) this.#link.carrier = this.#channels
    context.links.add(this.#link)
    context.children.add(this)
    // Children may outlive this program. They must get what it sent them.
    if (transport.capabilities.isolation === 'process') context.flushAtExit()
    this.#held = !owner.daemon
    if (this.#held) hold()
    this.exited = peer.exited.then(exit => this.#ended(exit, linkClosed))
    this.over = this.exited.then(code => {
      if (this.#startError !== undefined) throw this.#startError
      return code
    })
    this.over.catch(() => {})
  }

  /** Sends the order to start, with the encoded arguments and what rides beside them. */
  start(order: protocol.StartOrder, args: ByteBuffer, parcels: readonly Parcel[] | undefined): void {
    const out = this.#link.begin(protocol.START, false)
    const lengthAt = out.length
    appendU32(out, 0)
    encodeMessage(order, out, new Envelope(this.#transport), 'order', this.#link)
    writeU32(out.bytes, lengthAt, out.length - lengthAt - 4)
    appendBytes(out, args.bytes, 0, args.length)
    void this.#link.commit(out, parcels)
    this.#link.flush()
  }

  kill(signal: 'SIGTERM' | 'SIGKILL'): void {
    if (!this.alive) return
    this.#killed = true
    this.#peer.kill(signal)
  }

  /** Ends the child when the signal aborts; `outcome` then rejects with its reason. */
  endOn(signal: AbortSignal): void {
    const listener = () => this.kill('SIGTERM')
    this.#abort = { signal, listener }
    if (signal.aborted) listener()
    else signal.addEventListener('abort', listener, { once: true })
  }

  /** What the target returned or threw. It is decoded once, when somebody asks. */
  outcome(): Promise<unknown> {
    this.#outcome ??= this.#answeredOrOver.then(() => this.#decodeAnswer())
    return this.#outcome
  }

  /** Forgets an answer that nobody asked for. */
  discard(): void {
    if (!this.#outcome) discardParcels(this.#answer?.parcels, this.#transport)
    this.#answer = undefined
  }

  #hear(message: Message): void {
    if (message.type === SPLICE) this.#unread.add(this.#link)
    if (this.#channels.message(message)) return
    switch (message.type) {
      case protocol.READY:
        // Its word counts only where the medium does not tell.
        this.pid ??= readU32(message.bytes, message.start)
        return this.#ready.resolve()
      case protocol.UNLOADABLE:
        this.#startError = this.#decode(message)
        return
      case protocol.RETURNED:
      case protocol.THREW:
        discardParcels(this.#answer?.parcels, this.#transport)
        this.#answer = message
        return this.#answered()
      case protocol.ADOPT:
        return this.#adopt(message)
      case protocol.ASK_PROGRAM:
        this.#unread.add(this.#link)
        return void this.#context.programGoesOn().then(goesOn => {
          this.#link.control(protocol.PROGRAM_GOES_ON, out => appendU32(out, goesOn ? 1 : 0))
        })
      default:
        throw new MpError('MP_DECODE', `a child sends no message of type ${message.type}`)
    }
  }

  #adopt(message: Message): void {
    const parcelAt = (index: number) => {
      const parcel = message.parcels?.[index]
      if (!parcel) throw new MpError('MP_DECODE', `an estate refers to parcel ${index}, which did not come with it`)
      return parcel
    }
    const estate = this.#decode(message) as Estate
    // It can leave only what was made in it, or in a child of its own that has ended: the names of these begin with its own.
    if (typeof estate?.id !== 'string' || !estate.id.startsWith(`${this.id}.`)) {
      discardParcels(message.parcels, this.#transport)
      throw new MpError('MP_DECODE', 'a child leaves what is not its own')
    }
    adopt(this.#context, this.#transport, estate, parcelAt, this.#inherited)
  }

  #decode(message: Message): unknown {
    return readMessage(this.#context, this.#transport, message)
  }

  /** The link is gone. A child that broke the protocol is killed. That loses nothing: it can do no more than it already did. */
  #lost(error: Error | undefined): void {
    this.#channels.closed()
    this.#context.links.delete(this.#link)
    if (error) this.#peer.kill('SIGKILL')
    this.#linkClosed()
  }

  async #ended(exit: PeerExit, linkClosed: Promise<void>): Promise<number> {
    // What the child sent before its end may still be unread, on this link and on other wires.
    await within(linkClosed, LAST_WORDS)
    await caughtUp()
    for (const { file } of this.files) file.release()
    this.#link.close()
    this.#channels.closed()
    this.#context.links.delete(this.#link)
    this.#context.children.delete(this)
    // The child was killed before it could hand over these queues as a whole.
    for (const items of this.#inherited.values())
      for (const each of items) discardParcels(each.parcels, this.#transport)
    this.#inherited.clear()
    this.#exit = exit
    this.alive = false
    this.exitCode = exitCode(exit)
    if (this.#held) release()
    this.#abort?.signal.removeEventListener('abort', this.#abort.listener)
    // A process that was ended on request counts as started, however early that was.
    if (this.#killed && this.#startError === undefined) this.#ready.resolve()
    if (!this.#ready.settled) {
      this.#startError ??= new MpError(
        'MP_SPAWN_FAILED',
        `${this.owner.name} ${howItEnded(exit)} before its target could start`,
        {
          ...causedBy(exit),
        },
      )
      this.#ready.reject(this.#startError)
    }
    this.#answered()
    return this.exitCode
  }

  #decodeAnswer(): unknown {
    const { signal } = this.#abort ?? {}
    if (signal?.aborted) throw signal.reason
    const answer = this.#answer
    this.#answer = undefined
    if (answer) {
      const value = this.#decode(answer)
      if (answer.type === protocol.RETURNED) return value
      throw value
    }
    if (this.#startError !== undefined) throw this.#startError
    const exit = this.#exit as PeerExit
    throw new MpError('MP_WORKER_LOST', `${this.owner.name} ${howItEnded(exit)} before its target had settled`, {
      ...causedBy(exit),
    })
  }
}

function exitCode({ code, signal }: PeerExit): number {
  if (signal) return -((constants.signals as Record<string, number>)[signal] ?? 0)
  return (code ?? 1) & 0xff
}

function howItEnded({ code, signal, error }: PeerExit): string {
  const how = signal ? `was ended by ${signal}` : `ended with exit code ${(code ?? 1) & 0xff}`
  return error ? `${how} (${error.message})` : how
}

function causedBy({ error }: PeerExit): ErrorOptions {
  return error ? { cause: error } : {}
}
