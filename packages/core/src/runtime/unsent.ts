/**
 * What this context has said and not sent yet: batches of links, and wake-ups of native queues. Both wait for the end of
 * the turn, because then one system call serves many messages. The functions here let them leave earlier, if the order
 * requires it.
 */
export interface Unsent {
  /** Sends what waits. No-op if nothing does. */
  sendNow(): void
}

const batches = new Set<Unsent>()
const wakeUps = new Set<Unsent>()

export function noteBatch(link: Unsent): void {
  batches.add(link)
}

export function batchSent(link: Unsent): void {
  batches.delete(link)
}

export function noteWakeUp(queue: Unsent): void {
  wakeUps.add(queue)
}

export function wakeUpSent(queue: Unsent): void {
  wakeUps.delete(queue)
}

/**
 * Sends the batches of all links. Called before this context says something in another way than over a link: who hears of that,
 * and then looks for what was sent over links, must find it.
 */
export function sendBatches(): void {
  if (batches.size === 0) return
  for (const link of batches) link.sendNow()
  batches.clear()
}

/** Wakes all who wait for what this context has put into native queues. Called before this thread blocks. */
export function sendWakeUps(): void {
  for (const queue of wakeUps) queue.sendNow()
}
