import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { describe, expect, it, vi } from 'vitest'
import type { HolderBoard, HomeBoard } from '../src/board/board.js'
import { ClaimFile } from '../src/board/claim-file.js'
import { type InheritedFile, offerBoard } from '../src/board/offer.js'
import type { LiveObject as HomesObject } from '../src/link/wire-end.js'
import type { Transport } from '../src/transport/transport.js'
import { stubTransport } from './stub-transport.js'

// The holder's modules are others than home's, as in another process: both have memory of their own there.
vi.resetModules()
const { openBoard } = await import('../src/board/offer.js')
const { LiveObject } = await import('../src/link/wire-end.js')

interface Pair {
  readonly home: HomeBoard
  readonly holder: HolderBoard
  close(): void
}

function pair(transport: Transport, files: readonly InheritedFile[] = []): Pair {
  const offer = offerBoard({}, transport, files)
  const parcels = offer?.parcels?.map(each => new LiveObject((each as HomesObject).object))
  const open = offer && openBoard(offer.slot, offer.text, parcels)
  if (!open) throw new Error('the board could not be opened')
  return {
    home: offer.board,
    holder: open.board,
    close() {
      open.close()
      offer.close()
    },
  }
}

function inherited(): Pair {
  const file = ClaimFile.make() as ClaimFile
  // The same descriptor stands for the one that a child inherits: they share the offset.
  const made = pair(stubTransport(), [{ file, descriptor: file.file }])
  return {
    ...made,
    close() {
      made.close()
      file.release()
    },
  }
}

const kinds: [string, () => Pair][] = [
  ['a word in shared memory', () => pair(stubTransport({ reach: 'thread', sharedMemory: true, attachments: true }))],
  ['words in a file', () => pair(stubTransport())],
  ['the offset of a file', inherited],
]

/** The steps that the other side sees, or may come between. */
const steps: [object, readonly string[]][] = [
  [fs, ['readSync', 'writeSync', 'ftruncateSync']],
  [Atomics, ['load', 'store', 'exchange', 'compareExchange']],
]

/** Runs, and calls `act` just before the steps of that which `isAt` names. Gives how many steps there are. */
function interleave(isAt: (step: number) => boolean, run: () => void, act: () => void): number {
  const undo: (() => void)[] = []
  let count = 0
  let acting = false
  for (const [owner, names] of steps) {
    const functions = owner as Record<string, (...args: never[]) => unknown>
    for (const name of names) {
      const real = functions[name] as (...args: never[]) => unknown
      undo.push(() => {
        functions[name] = real
      })
      functions[name] = (...args) => {
        // What `act` does has no steps of its own.
        if (!acting && isAt(count++)) {
          acting = true
          act()
          acting = false
        }
        return real.apply(owner, args)
      }
    }
  }
  syncBuiltinESMExports()
  try {
    run()
  } finally {
    for (const each of undo) each()
    syncBuiltinESMExports()
  }
  return count
}

const PLACES = 3

/** One claim of some places, and one take-back of all. */
class Trial {
  readonly #pair: Pair
  readonly #got: number[] = []
  #next = 1
  #claimed: number | undefined

  constructor(pair: Pair) {
    this.#pair = pair
    pair.home.sent(PLACES, PLACES)
  }

  /** Gives false if home is just deciding, so that it has to be tried again. */
  readonly claim = (): boolean => {
    if (this.#next > PLACES) return true
    const mine = this.#pair.holder.claim(this.#next)
    if (mine === undefined) return false
    if (mine) this.#got.push(this.#next)
    this.#next++
    return true
  }

  readonly takeBack = (): void => {
    this.#claimed = this.#pair.home.takeBack(PLACES)
  }

  /** Each place has one owner, and both sides can go on. */
  check(): void {
    const { home, holder, close } = this.#pair
    for (let i = 0; i < PLACES; i++) this.claim()
    expect(this.#next).toBe(PLACES + 1)
    expect(this.#got).toEqual(Array.from({ length: this.#claimed as number }, (_, i) => i + 1))
    if (home.revoked) {
      expect(holder.revoked).toBe(true)
      home.resume(PLACES)
      holder.resume?.()
    }
    home.sent(PLACES + 2, 2)
    expect(holder.claim(PLACES + 1)).toBe(true)
    expect(home.begun).toBe(PLACES + 1)
    expect(home.takeBack(PLACES + 2)).toBe(PLACES + 1)
    expect(holder.claim(PLACES + 2)).toBe(false)
    close()
  }
}

describe.each(kinds)('a place on a board that is %s has one owner', (_, make) => {
  const claimed = Array.from({ length: PLACES + 1 }, (_, i) => i)

  it.each(claimed)('wherever claims come into a take-back (%i claimed before)', before => {
    for (let claims = 1; claims <= PLACES; claims++) {
      for (let at = 0, isThere = true; isThere; at++) {
        // All of them there, or one there and before each later step: it may have to be tried again.
        for (const isAt of [(step: number) => step === at, (step: number) => step >= at]) {
          const trial = new Trial(make())
          for (let i = 0; i < before; i++) trial.claim()
          let left = claims
          isThere =
            interleave(isAt, trial.takeBack, () => {
              for (let i = isAt(at + 1) ? 1 : claims; i > 0 && left > 0; i--) if (trial.claim()) left--
            }) > at
          trial.check()
        }
      }
    }
  })

  it.each(claimed.slice(1))('wherever a take-back comes into claim %i', claim => {
    // It may have fewer steps when something comes before one of them.
    for (let at = 0, isThere = true; isThere; at++) {
      const trial = new Trial(make())
      for (let i = 1; i < claim; i++) trial.claim()
      isThere = at < interleave(step => step === at, trial.claim, trial.takeBack)
      if (!isThere) trial.takeBack()
      trial.check()
    }
  })
})
