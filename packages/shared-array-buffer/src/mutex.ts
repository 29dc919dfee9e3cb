import type { Peers } from './peers.js'

/**
 * A lock whose holder may die. One word: 0 while free; `holder's id << 1 | contended`. Whoever finds it held by a peer whose
 * thread has ended takes it over; what it guards is sound at every instruction, so nothing need be put right.
 *
 * A waiter marks the word as contended and waits for a change; who releases a contended lock wakes one. The one who was woken
 * takes the lock as contended, since others may wait, too. A wake-up that a dying waiter has swallowed costs one SLICE.
 */

/** ms */
const SLICE = 1
const SPINS = 200

export function lock(words: Int32Array, at: number, self: number): boolean {
  return Atomics.compareExchange(words, at, 0, self << 1) === 0
}

/** Blocks for a few ms at most: false where the lock was not free in that time. */
export function lockSoon(words: Int32Array, at: number, peers: Peers): boolean {
  const mine = peers.self << 1
  for (let i = 0; i < SPINS; i++) {
    if (Atomics.load(words, at) === 0 && Atomics.compareExchange(words, at, 0, mine) === 0) return true
  }
  for (let tries = 0; tries < 3; tries++) {
    const held = Atomics.load(words, at)
    if (held === 0) {
      if (Atomics.compareExchange(words, at, 0, mine | 1) === 0) return true
      continue
    }
    if (peers.gone(held >>> 1)) {
      if (Atomics.compareExchange(words, at, held, mine | 1) === held) return true
      continue
    }
    const contended = held | 1
    if (held === contended || Atomics.compareExchange(words, at, held, contended) === held) {
      Atomics.wait(words, at, contended, SLICE)
    }
  }
  return Atomics.compareExchange(words, at, 0, mine | 1) === 0
}

export function unlock(words: Int32Array, at: number): void {
  if (Atomics.exchange(words, at, 0) & 1) Atomics.notify(words, at, 1)
}
