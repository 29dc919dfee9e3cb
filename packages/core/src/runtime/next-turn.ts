/** Something that has arrived within this thread, and waits for a turn of the event loop to be told. */
export interface Delivery {
  deliver(): void
}

let due: Delivery[] = []
let spare: Delivery[] = []
let scheduled = false

/** Calls `deliver` in the next turn. One turn serves all; what they cause in turn waits for another. */
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

/** Delivers everything, and what follows from it: for a context that exits, whose event loop turns no more. Whether there was any. */
export function deliverNow(): boolean {
  if (due.length === 0) return false
  while (due.length > 0) deliverDue()
  return true
}
