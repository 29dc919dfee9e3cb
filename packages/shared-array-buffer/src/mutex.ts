import type { Peers } from './peers.js'

/**
 * A lock whose holder may die. It is one word. While the lock is held: the holder's id, HELD, and CONTENDED if somebody waits.
 * While it is free: the mark that its last holder left, at first 0. Whoever finds it held by a peer whose thread has ended takes
 * it over. What the lock guards is sound at every instruction, so there is nothing to repair.
 *
 * Nobody else leaves the same mark. So a thread that finds its own knows that nobody has held the lock since, and that what it
 * read under the lock is still true.
 *
 * A waiter marks the word as contended and waits for a change. Whoever releases a contended lock wakes one waiter. That one takes
 * the lock as contended, since others may wait too. If a waiter dies with its wake-up, this costs the others one SLICE.
 *
 *     word: (id | mark) << 2 | CONTENDED | HELD
 */
const HELD = 1
const CONTENDED = 2
const FLAGS = 2

/** ms */
const SLICE = 1
const SPINS = 200

/** Takes the lock if it is free and has this mark of its last holder. */
export function lockAgain(words: Int32Array, at: number, self: number, mark: number): boolean {
  return Atomics.compareExchange(words, at, mark << FLAGS, (self << FLAGS) | HELD) === mark << FLAGS
}

/** Takes the lock, whoever held it last. Blocks for a few ms at most; false if the lock was not free in that time. */
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
