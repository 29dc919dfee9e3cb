/** ms. Calls that resolve as microtasks, in a loop, would starve the event loop: timers, sockets, and links' flushes. */
const LONGEST_TURN = 10

let turnStart = 0

/** Whether this turn of the event loop has run so long that the next call must resolve in another one. */
export function turnIsLong(now: number): boolean {
  if (turnStart === 0) {
    turnStart = now
    // Runs when the microtasks have: the turn is over.
    process.nextTick(endTurn)
    return false
  }
  return now - turnStart > LONGEST_TURN
}

function endTurn(): void {
  turnStart = 0
}

/** One turn of the event loop: what the operating system or another thread has already sent is seen afterwards. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
