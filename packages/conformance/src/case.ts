import type { Transport } from '@mp/core/spi'
import type { Trial } from './trial.js'

/** What a case may need of a transport. It is derived from what the transport declares. */
export type Need =
  | 'isolation'
  | 'process'
  | 'crash'
  | 'signals'
  | 'sharedMemory'
  | 'attachments'
  | 'buffers'
  | 'directWires'
  | 'network'
  | 'sync'
  | 'broker'

export type Body = (trial: Trial) => Promise<void>

export interface Case {
  readonly needs: readonly Need[]
  readonly body: Body
}

export interface Group {
  readonly title: string
  /** By name, which is the row's ID and what holds. */
  readonly cases: ReadonlyMap<string, Case>
}

export function group(title: string, cases: Record<string, Body | Case>): Group {
  const entries = Object.entries(cases).map(([name, each]): [string, Case] => [
    name,
    typeof each === 'function' ? { needs: [], body: each } : each,
  ])
  return { title, cases: new Map(entries) }
}

export function needs(...args: [...needs: Need[], body: Body]): Case {
  return { needs: args.slice(0, -1) as Need[], body: args.at(-1) as Body }
}

const table: Record<Need, { met(transport: Transport): boolean; said: string }> = {
  isolation: { met: each => each.capabilities.isolation !== 'none', said: "isolation 'thread' or 'process'" },
  process: { met: each => each.capabilities.isolation === 'process', said: "isolation 'process'" },
  crash: { met: each => each.capabilities.isolation === 'process', said: "isolation 'process' (a peer that crashes)" },
  signals: { met: each => each.capabilities.isolation === 'process', said: "isolation 'process' (signals)" },
  sharedMemory: { met: each => each.capabilities.sharedMemory, said: 'sharedMemory' },
  network: { met: each => each.capabilities.network, said: 'network' },
  // Without engines a home has all items, and may be too busy to read.
  broker: { met: each => each.engines?.queue === undefined, said: 'queues that their home brokers' },
  sync: { met: each => each.capabilities.sync, said: 'sync (blocking calls)' },
  buffers: { met: each => each.buffers === true, said: 'buffers beside a frame' },
  attachments: { met: each => each.capabilities.attachments, said: 'attachments' },
  // A wire that leads through a context is cut when that context is killed.
  directWires: { met: each => each.wires !== undefined, said: 'direct wires between contexts' },
}

/** What the transport lacks for the case, in words; undefined if the case can run. */
export function lacking({ needs }: Case, transport: Transport): string | undefined {
  const missing = needs.filter(need => !table[need].met(transport))
  return missing.length > 0 ? missing.map(need => table[need].said).join(', ') : undefined
}
