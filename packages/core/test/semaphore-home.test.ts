import { describe, expect, it } from 'vitest'
import { Context } from '../src/context/context.js'
import { LocalWire } from '../src/link/local-wire.js'
import { RelayedEnd } from '../src/link/relayed-end.js'
import type { Grant } from '../src/semaphore/grants.js'
import { SemaphoreHome } from '../src/semaphore/home.js'
import * as protocol from '../src/semaphore/protocol.js'
import { RawHolder, transport, until } from './raw-holder.js'

const { ACQUIRE, GRANTED, RELEASE, REVOKED } = protocol

function make(value: number): { home: SemaphoreHome; holder: () => RawHolder } {
  const context = new Context({ id: 'home', name: 'home', pid: 1, daemon: false, path: [] }, null)
  const home = new SemaphoreHome(context, transport, 'semaphore', value, value)
  return { home, holder: () => new RawHolder((home.share() as RelayedEnd).wire) }
}

describe('the home of a semaphore', () => {
  it('hears a release that was sent before it refuses a call that does not wait', async () => {
    const { home, holder } = make(1)
    const other = holder()
    other.say(ACQUIRE, 1, 0, 0)
    await other.hears(GRANTED, 1)
    const grant = other.heard.at(-1)?.[2] as number
    // It is sent, and not read.
    other.say(RELEASE, grant, 0)
    let outcome: Grant | 'refused' | undefined
    const party = { grants: new Set<number>(), revoked() {} }
    const acquirer = {
      party,
      wish: 'hold' as const,
      granted(given: Grant) {
        outcome = given
      },
      refused() {
        outcome = 'refused'
      },
    }
    home.acquire(acquirer, true)
    await until(() => outcome !== undefined)
    expect(outcome).toMatchObject({ abandoned: false })
    outcome = undefined
    home.acquire(acquirer, true)
    await until(() => outcome !== undefined)
    expect(outcome).toBe('refused')
  })

  it('knows, when it has moved, who holds a permit, and what became of the others', async () => {
    const context = new Context({ id: 'parent', name: 'parent', pid: 1, daemon: false, path: [] }, null)
    const [mine, homes] = LocalWire.pair()
    const holder = new RawHolder(mine)
    const estate = { kind: 'semaphore', id: 'semaphore', limit: 4, value: 2, abandoned: 1, nextGrant: 9 } as const
    const whose = { holders: [0], grants: [[8, 5]] }
    SemaphoreHome.adopt(context, transport, { ...estate, ...whose }, () => new RelayedEnd(homes))
    const home = context.homes.get('semaphore') as SemaphoreHome
    const grants: Grant[] = []
    const party = { grants: new Set<number>(), revoked() {} }
    for (let i = 0; i < 2; i++) {
      home.acquire({ party, wish: 'hold', granted: grant => void grants.push(grant), refused() {} }, false)
    }
    expect(grants.map(({ number, abandoned }) => [number, abandoned])).toEqual([
      [9, true],
      [10, false],
    ])
    // Another context gives back more than it holds: the oldest permits of others end.
    party.grants.clear()
    expect(home.post({ grants: new Set(), revoked() {} }, 1, true)).toBe(true)
    await holder.hears(REVOKED, 5)
    expect(holder.has(REVOKED, 8)).toBe(false)
  })
})
