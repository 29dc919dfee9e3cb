import type { Context, Pack } from '../context/context.js'
import { Envelope, encodeMessage } from '../context/message-writer.js'
import { awaitMoved } from '../link/await-moved.js'
import type { Channels } from '../link/channels.js'
import { closingLinks, type Link } from '../link/link.js'
import * as protocol from '../process/protocol.js'
import { hold, release } from '../runtime/keep-alive.js'
import { noMoreTurns } from '../runtime/turn.js'
import { within } from '../runtime/within.js'
import type { Transport } from '../transport/transport.js'
import { report } from './stderr-report.js'

/** How long an ending child waits for others to take what it hands over, ms. When it has passed, stderr says so. */
const LONGEST_END = 30_000

/** How long a context that exits blocks for the holders of its queues to move, ms. */
const LONGEST_EXIT = 1000

/** The end of a child's context: everything that it owes to others leaves, and what lives here moves to the parent. */
export class ContextEnd {
  readonly #transport: Transport
  readonly #context: Context
  /** The link to the parent. */
  readonly #link: Link
  readonly #channels: Channels

  constructor(transport: Transport, context: Context, link: Link, channels: Channels) {
    this.#transport = transport
    this.#context = context
    this.#link = link
    this.#channels = channels
  }

  /** Ends the context when its target has settled. In Python's order: children first, then what it owes to others. */
  async inOrder(): Promise<void> {
    // What it waits for keeps no event loop alive by itself.
    hold()
    const context = this.#context
    for (const child of context.children) if (child.owner.daemon) child.kill('SIGTERM')
    await Promise.all([...context.children].map(child => child.exited))
    await within(this.#settleAccounts(), LONGEST_END, () =>
      report(context.identity.name, 'gave up waiting for others to take what it still held: it may be lost'),
    )
    context.flush()
    this.#link.flushAll()
    if (this.#transport.capabilities.isolation === 'none') this.#leave()
    release()
  }

  /** Ends the context within the call: the process or thread is exiting, and its event loop turns no more. */
  atExit(): void {
    const context = this.#context
    const deadline = performance.now() + LONGEST_EXIT
    // What is read from here on comes to calls whose promises cannot go on any more.
    for (const remote of [...context.remotes.values(), ...context.leaving]) remote.retire?.(deadline)
    awaitMoved([...context.movingLinks()], context.links, deadline)
    for (const link of context.movingLinks()) link.tellLeft()
    void this.#handOverHomes(deadline)
    context.flushNow()
    this.#channels.detachNow(performance.now() + LONGEST_END)
    context.flushNow()
    for (const link of context.links) if (link !== this.#link) link.end()
    // The user's own exit handlers may run after this.
    noMoreTurns()
  }

  async #settleAccounts(): Promise<void> {
    const context = this.#context
    await Promise.all([closingLinks(), ...[...context.links].map(link => link.listened())])
    for (const link of context.links) link.flushAll()
    for (const pipe of context.pipes) pipe.flush()
    const remotes = [...context.remotes.values(), ...context.leaving]
    for (const remote of remotes) remote.retire?.()
    await Promise.all(remotes.map(remote => remote.settled()))
    await context.finished()
    for (const link of context.movingLinks()) link.tellLeft()
    await this.#handOverHomes()
    await this.#channels.detach()
  }

  #handOverHomes(deadline?: number): Promise<unknown> {
    const pack: Pack = estate => {
      const envelope = new Envelope(this.#transport)
      const out = this.#link.begin(protocol.ADOPT, false)
      encodeMessage(estate(envelope), out, envelope, 'estate', this.#link)
      void this.#link.commit(out, envelope.parcels)
    }
    const homes = [...this.#context.homes.values()].filter(home => home.transport === this.#transport)
    return Promise.all(homes.map(home => home.handOver(pack, deadline)))
  }

  /** In its creator's thread nothing ends by itself: the context closes what is open, as the end of a process would. */
  #leave(): void {
    for (const link of [...this.#context.links]) link.leave()
  }
}
