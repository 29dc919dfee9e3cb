import { atTurnEnd } from './turn.js'
import { LONGEST_TIMER } from './wait-options.js'

/**
 * Keeps this thread's event loop alive while at least one call is pending. No wire does so. What keeps a program open is
 * what the program waits for, the same on every transport.
 */

/** Calls that are pending. */
let holders = 0
let timer: NodeJS.Timeout | undefined
let isHeld = false

export function hold(): void {
  holders++
  if (isHeld) return
  // It does nothing when it fires.
  timer ??= setInterval(() => {}, LONGEST_TIMER)
  timer.ref()
  isHeld = true
}

export function release(): void {
  // Not at once: most often the next call is made in the same turn.
  if (--holders === 0) atTurnEnd(letGo)
}

const letGo = {
  turnEnded() {
    if (holders > 0 || !isHeld) return
    timer?.unref()
    isHeld = false
  },
}
