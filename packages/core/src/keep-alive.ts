/**
 * Keeps this thread's event loop alive while at least one call is pending. No wire does: what holds a program open is
 * what the program waits for, the same on every transport.
 */
let holders = 0
let timer: NodeJS.Timeout | undefined

export function hold(): void {
  // The longest delay that a timer has; its firing does nothing.
  timer ??= setInterval(() => {}, 0x7fff_ffff)
  if (holders++ === 0) timer.ref()
}

export function release(): void {
  if (--holders === 0) timer?.unref()
}
