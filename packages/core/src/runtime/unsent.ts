/**
 * What this context has said and not sent yet: batches of links, and wake-ups of native queues. Both wait for the end of the
 * turn, because one system call then serves many messages. Here they leave earlier, where the order asks for it.
 */
export interface Unsent {
  /** Sends what waits; no-op where nothing does. */
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
 * Sends the batches of all links. Called before this context says something by another way than a link: who hears of the one
 * and then asks about the other must find both.
 */
export function sendBatches(): void {
  if (batches.size === 0) return
  for (const link of batches) link.sendNow()
  batches.clear()
}

/** Wakes all who wait for what was put into native queues. Called before this thread blocks. */
export function sendWakeUps(): void {
  for (const queue of wakeUps) queue.sendNow()
}
