import type { Peers } from './peers.js'

/**
 * A lock whose holder may die. One word: while it is held, the holder's id and HELD, and CONTENDED where somebody waits; while it
 * is free, the mark that its last holder has left, 0 at first. Whoever finds it held by a peer whose thread has ended takes it
 * over; what it guards is sound at every instruction, so nothing need be put right.
 *
 * Who finds its own mark, one that nobody else leaves, knows that nobody has held the lock since, and that all it knew of what
 * the lock guards still holds.
 *
 * A waiter marks the word as contended and waits for a change; who releases a contended lock wakes one. The one who was woken
 * takes the lock as contended, since others may wait, too. A wake-up that a dying waiter has swallowed costs one SLICE.
 *
 *     word: (id | mark) << 2 | CONTENDED | HELD
 */
const HELD = 1
const CONTENDED = 2
const FLAGS = 2

/** ms */
const SLICE = 1
const SPINS = 200

/** Takes the lock where it is free and the mark of its last holder is this one. */
export function lockAgain(words: Int32Array, at: number, self: number, mark: number): boolean {
  return Atomics.compareExchange(words, at, mark << FLAGS, (self << FLAGS) | HELD) === mark << FLAGS
}

/** Whoever held it last. Blocks for a few ms at most: false where the lock was not free in that time. */
export function lockSoon(words: Int32Array, at: number, peers: Peers): boolean {
  const mine = (peers.self << FLAGS) | HELD
  for (let i = 0; i < SPINS; i++) {
    const word = Atomics.load(words, at)
    if (!(word & HELD) && Atomics.compareExchange(words, at, word, mine) === word) return true
  }
  for (let tries = 0; tries < 4; tries++) {
    const word = Atomics.load(words, at)
    if (!(word & HELD) || peers.gone(word >>> FLAGS)) {
      if (Atomics.compareExchange(words, at, word, mine | CONTENDED) === word) return true
    } else if (tries < 3) {
      const contended = word | CONTENDED
      if (word === contended || Atomics.compareExchange(words, at, word, contended) === word) {
        Atomics.wait(words, at, contended, SLICE)
      }
    }
  }
  return false
}

export function unlock(words: Int32Array, at: number, mark: number): void {
  if (Atomics.exchange(words, at, mark << FLAGS) & CONTENDED) Atomics.notify(words, at, 1)
}
