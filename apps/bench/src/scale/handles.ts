import { startChild } from '../children.js'
import { type Footprint, footprint } from '../footprint.js'
import { type Deed, keep } from '../targets/scale.js'
import type { TransportModule } from '../transports.js'

/** How many handles of each kind there are. */
export const COUNT = 500
/** So many are used and dropped first: what the first ones make for good is no part of the others' cost. */
const WARM_UP = 100
/** How often garbage is collected, at most, until what was dropped is gone, and ms between two times. */
const MOST_COLLECTIONS = 40
const PAUSE = 50

export interface HandleCost {
  readonly kind: string
  /** Bytes a handle, here and in the child, while both keep it and neither uses it. */
  readonly idle: readonly [here: number, child: number]
  /** The same after both have dropped it without close(). */
  readonly dropped: readonly [here: number, child: number]
  /** Descriptors that are left of all that were dropped, at the side that has more. */
  readonly descriptors: number
}

/** Makes a handle, gives it to a child that uses it once, and gives what is to be kept here. */
type Make = (module: TransportModule, give: (handle: never) => Promise<void>) => Promise<object>

const kinds: Readonly<Record<string, Make>> = {
  async Queue({ Queue }, give) {
    const queue = new Queue<number>()
    await queue.put(1)
    await give(queue as never)
    return queue
  },
  async Pipe({ Pipe }, give) {
    const [mine, theirs] = Pipe<number, never>()
    await mine.send(1)
    await give(theirs as never)
    return mine
  },
  async Lock({ Lock }, give) {
    const lock = new Lock()
    await give(lock as never)
    return lock
  },
}

/** Measures what an idle Queue, Pipe and Lock cost, each of which a child has used. */
export async function handleCosts(module: TransportModule): Promise<HandleCost[]> {
  const costs: HandleCost[] = []
  for (const [kind, make] of Object.entries(kinds)) costs.push(await costOf(module, kind, make))
  return costs
}

async function costOf(module: TransportModule, kind: string, make: Make): Promise<HandleCost> {
  const [orders, theirs] = module.Pipe<Deed, Footprint | 'done'>()
  const child = startChild(module, keep, [theirs])
  const tell = async (deed: Deed): Promise<Footprint | 'done'> => {
    await orders.send(deed)
    return child.during(orders.recv())
  }
  const kept: object[] = []
  const fill = async (count: number) => {
    for (let i = 0; i < count; i++) kept.push(await make(module, async use => void (await tell({ use }))))
  }
  const drop = async () => {
    kept.length = 0
    await tell('drop')
  }
  const measure = async (): Promise<Sides> => [await footprint(), (await tell('measure')) as Footprint]
  await fill(WARM_UP)
  await drop()
  const before = await settled(measure)
  await fill(COUNT)
  const full = await measure()
  await drop()
  const after = await settled(measure)
  await orders.close()
  await child.ended()
  return {
    kind,
    idle: perHandle(before, full),
    dropped: perHandle(before, after),
    descriptors: Math.max(0, ...[0, 1].map(side => descriptors(after, side) - descriptors(before, side))),
  }
}

type Sides = readonly [Footprint, Footprint]

function descriptors(sides: Sides, side: number): number {
  return (sides[side] as Footprint).descriptors
}

function perHandle(before: Sides, now: Sides): [number, number] {
  const grown = (side: 0 | 1) => (now[side].memory - before[side].memory) / COUNT
  return [grown(0), grown(1)]
}

/** Collects garbage until the memory of neither side falls any more. */
async function settled(measure: () => Promise<Sides>): Promise<Sides> {
  let last = await measure()
  for (let i = 0; i < MOST_COLLECTIONS; i++) {
    await new Promise(resolve => setTimeout(resolve, PAUSE))
    const now = await measure()
    const fell = [0, 1].some(side => (now[side] as Footprint).memory < (last[side] as Footprint).memory - COUNT)
    last = now
    if (!fell) break
  }
  return last
}
