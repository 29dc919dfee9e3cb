/** Something has arrived for it within this thread. It is told in a later turn of the event loop. */
export interface Delivery {
  deliver(): void
}

let due: Delivery[] = []
let spare: Delivery[] = []
let scheduled = false

/** Calls `deliver` in the next turn. One turn serves all. What they cause to be delivered waits for another turn. */
export function deliverLater(who: Delivery): void {
  due.push(who)
  if (scheduled) return
  scheduled = true
  setImmediate(deliverDue)
}

function deliverDue(): void {
  scheduled = false
  const now = due
  due = spare
  for (let i = 0; i < now.length; i++) (now[i] as Delivery).deliver()
  now.length = 0
  spare = now
}

/**
 * For a context that exits, whose event loop turns no more: delivers everything, and what follows from it. False if there
 * was nothing.
 */
export function deliverNow(): boolean {
  if (due.length === 0) return false
  while (due.length > 0) deliverDue()
  return true
}
