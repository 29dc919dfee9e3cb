import { describe, expect, it } from 'vitest'
import { Context } from '../src/context/context.js'
import { Envelope } from '../src/context/message-writer.js'
import type { Parcel } from '../src/link/wire-end.js'
import { type Estate, adopt, type Inherited } from '../src/process/adopt.js'
import { QueueHome } from '../src/queue/home.js'
import { stubTransport } from './stub-transport.js'

const transport = stubTransport({ reach: 'thread', isolation: 'none' })

const MIB = 1024 * 1024

function context(id: string): Context {
  return new Context({ id, name: id, pid: 1, daemon: false, path: [] }, null)
}

describe('a queue that moves to its parent', () => {
  it('goes in messages of a bounded size, however much it holds, and keeps its order', async () => {
    const home = new QueueHome(context('child'), transport, 'queue', 0)
    const sizes = [...Array.from({ length: 50 }, () => MIB), 40 * MIB, 10, MIB]
    for (const [index, size] of sizes.entries()) {
      home.put({ bytes: new Uint8Array(size).fill(index), start: 0, end: size, parcels: undefined, number: 0 })
    }
    home.share()
    const estates: Estate[] = []
    let parcels: readonly Parcel[] = []
    await home.handOver(build => {
      const envelope = new Envelope(transport)
      estates.push(build(envelope) as Estate)
      parcels = envelope.parcels ?? []
    })
    const held = estates.map(each =>
      'items' in each ? each.items.reduce((sum, { bytes }) => sum + bytes.length, 0) : 0,
    )
    expect(estates.slice(0, -1).every(({ kind }) => kind === 'items')).toBe(true)
    expect(estates.at(-1)?.kind).toBe('queue')
    // An item that is larger goes alone.
    for (const bytes of held) expect(bytes === 40 * MIB || bytes <= 16 * MIB).toBe(true)

    const inherited: Inherited = new Map()
    const parent = context('parent')
    for (const estate of estates) adopt(parent, transport, estate, index => parcels[index] as Parcel, inherited)
    expect(inherited.size).toBe(0)
    const adopted = parent.homes.get('queue') as QueueHome
    for (const [index, size] of sizes.entries()) {
      const { bytes } = adopted.take(true) ?? {}
      expect([bytes?.length, bytes?.[0]]).toEqual([size, index])
    }
    expect(adopted.take(true)).toBeUndefined()
  })
})
