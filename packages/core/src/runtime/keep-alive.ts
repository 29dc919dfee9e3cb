import { atTurnEnd } from './turn.js'
import { LONGEST_TIMER } from './wait-options.js'

/**
 * Keeps this thread's event loop alive while at least one call is pending. No wire does: what holds a program open is
 * what the program waits for, the same on every transport.
 */
let holders = 0
let timer: NodeJS.Timeout | undefined
let isHeld = false

export function hold(): void {
  holders++
  if (isHeld) return
  timer ??= setInterval(() => {}, LONGEST_TIMER)
  timer.ref()
  isHeld = true
}

export function release(): void {
  // Mostly the next call is made in the same turn, and nothing need change.
  if (--holders === 0) atTurnEnd(letGo)
}

const letGo = {
  turnEnded() {
    if (holders > 0 || !isHeld) return
    timer?.unref()
    isHeld = false
  },
}
