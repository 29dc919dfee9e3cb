import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { BoundContext, Connection } from '@mp/core'
import type { Transport } from '@mp/core/spi'
import { within as waitWithin } from '../harness.js'
import type { Order, Orders } from '../targets-soak.js'
import type { Random } from './random.js'
import type { Tally } from './tally.js'

/** How an actor ends: killed from outside, or by an order. */
export type Ending = 'kill' | 'terminate' | Exclude<Order, 'close' | 'pass'>

/** Bounds a wait. A soak keeps the machine busy by itself, so it waits longer than a case. */
export function within<T>(promise: PromiseLike<T>, what: string): Promise<T> {
  return waitWithin(promise, what, 40_000)
}

const EXIT_CODES: Record<Ending, number> = { kill: -9, terminate: -15, return: 0, exit: 0, throw: 1, uncaught: 1 }

export function isKill(ending: Ending | undefined): boolean {
  return ending === 'kill' || ending === 'terminate'
}

export interface Setting {
  readonly api: BoundContext
  readonly transport: Transport
  readonly module: string
  /** A folder for what the actors write down. */
  readonly folder: string
  readonly tally: Tally
}

/** The end of the orders that a scene has. */
type Command = Connection<Order, unknown>

type Role = (...args: never[]) => Promise<string>

/** One who takes part in a scene: a child, or a function that runs in this context. */
export interface Actor {
  readonly name: string
  readonly here: boolean
  readonly orders: Command
  /** How it was ended; undefined while it was not, or if it ended by itself. */
  ending: Ending | undefined
  /** Ends it, and waits until it is gone. */
  end(ending: Ending): Promise<void>
  /** Settles with what its function gave; 'lost' if it did not get so far. Never rejects. */
  readonly outcome: Promise<string>
}

let files = 0

/** What a scene works with. */
export class Stage {
  readonly setting: Setting
  readonly random: Random
  readonly name: string
  readonly #actors: Actor[] = []
  readonly #background: Promise<unknown>[] = []

  constructor(setting: Setting, name: string, random: Random) {
    this.setting = setting
    this.name = name
    this.random = random
  }

  get api(): BoundContext {
    return this.setting.api
  }

  get tally(): Tally {
    return this.setting.tally
  }

  /** Whether actors can end in ways of their own: exit, or leave an error uncaught. */
  get isolated(): boolean {
    return this.setting.transport.capabilities.isolation !== 'none'
  }

  /** A path for a new file. */
  file(): string {
    return join(this.setting.folder, String(files++))
  }

  event(text: string): void {
    this.tally.event(this.name, text)
  }

  violation(text: string): void {
    this.tally.violation(this.name, text)
  }

  pause(most: number): Promise<void> {
    return pause(this.random.next() * most)
  }

  /** An ending that the transport can have. */
  ending(from: readonly Ending[] = ['kill', 'kill', 'terminate', 'return', 'exit', 'throw', 'uncaught']): Ending {
    return this.random.pick(this.isolated ? from : from.filter(each => isKill(each) || each === 'return'))
  }

  /** Lets something begin beside the rest of the scene. */
  background(work: Promise<unknown>): void {
    this.#background.push(work)
    // It is awaited later.
    work.catch(() => {})
  }

  /** Waits for what was begun beside. */
  async settled(): Promise<void> {
    await Promise.all(this.#background.splice(0))
  }

  /** Starts an actor. `args` is given its end of the orders. */
  async start(name: string, role: Role, args: (orders: Orders) => readonly unknown[], here = false): Promise<Actor> {
    const [near, far] = this.api.Pipe<Order, unknown>()
    this.event(`starts ${name}${here ? ' here' : ''}`)
    const actor = here
      ? actHere(this, name, near, (role as (...all: unknown[]) => Promise<string>)(...args(far)))
      : await this.#startChild(name, role, near, args(far))
    this.#actors.push(actor)
    return actor
  }

  async #startChild(name: string, role: Role, orders: Command, args: readonly unknown[]): Promise<Actor> {
    const child = new this.api.Process({ target: role as never, args: args as never, stdio: 'ignore' })
    await this.tally.timed('start', within(child.start(), `start of ${name}`))
    const outcome = child.result().then(String, (error: Error & { code?: string }) => {
      const told = error.message.startsWith('thrown as told') || (error.code === 'MP_WORKER_LOST' && actor.ending)
      if (!told) this.violation(`${name} failed: ${error.stack}`)
      return 'lost'
    })
    const actor: Actor = {
      name,
      here: false,
      orders,
      ending: undefined,
      outcome,
      end: async ending => {
        if (actor.ending === undefined && child.isAlive()) actor.ending = ending
        this.event(`ends ${name}: ${ending}`)
        this.tally.count(isKill(ending) ? 'kills' : 'ends')
        if (isKill(ending)) child[ending as 'kill']()
        else await order(orders, ending as Order)
        const code = await this.tally.timed('end', within(child.join(), `the end of ${name} by ${ending}`))
        this.event(`${name} has ended: ${code}`)
        await outcome
        // It may have ended by itself just before.
        if (code !== EXIT_CODES[ending] && code !== 0) this.violation(`${name} ended with ${code} by ${ending}`)
        if (code !== EXIT_CODES[ending]) actor.ending = undefined
        // Whoever has its end now may write on until that is closed.
        if (!orders.closed) await endOfOrders(orders, name)
      },
    }
    return actor
  }

  /** Ends whoever is left. For the end of a scene that failed. */
  async clear(): Promise<void> {
    await Promise.allSettled(this.#background.splice(0))
    const left = this.#actors.filter(({ ending }) => ending === undefined)
    await Promise.allSettled(left.map(actor => actor.end(actor.here ? 'return' : 'kill')))
  }
}

/** Sends an order. An actor that has ended by itself cannot hear it. */
export async function order(orders: Command, what: Order): Promise<void> {
  await orders.send(what).catch((error: { code?: string }) => {
    if (error.code !== 'MP_BROKEN_PIPE' && error.code !== 'MP_CLOSED') throw error
  })
}

async function endOfOrders(orders: Command, name: string): Promise<void> {
  const toTheEnd = async () => {
    for (;;) {
      try {
        await orders.recv()
      } catch {
        return
      }
    }
  }
  await order(orders, 'return')
  await within(toTheEnd(), `the end of what ${name} had handed on`)
  await orders.close()
}

function actHere(stage: Stage, name: string, orders: Command, work: Promise<string>): Actor {
  const outcome = work.catch(error => {
    stage.violation(`${name} failed: ${error.stack}`)
    return 'lost'
  })
  const actor: Actor = {
    name,
    here: true,
    orders,
    ending: undefined,
    outcome,
    async end() {
      actor.ending = 'return'
      stage.event(`ends ${name} here`)
      await order(orders, 'return')
      await within(outcome, `the end of ${name}`)
      await orders.close()
    },
  }
  return actor
}
