import type { Link } from './link.js'

/**
 * For a context that exits: waits, blocking, for the answers to the moves that `moving` began, until `deadline`, as
 * performance.now() counts.
 *
 * - If the other side of a link has never said anything, the wait for it lasts only as long as there is something to read.
 * - Those who have to answer may be exiting themselves, and wait for this context as it waits for them. So what comes over
 *   `others` is read, and answered, too.
 */
export function awaitMoved(moving: readonly Link[], others: Iterable<Link>, deadline: number): void {
  const all = new Set([...moving, ...others])
  const waited = new Set(moving)
  for (;;) {
    let came = false
    for (const link of all) if (link.receiveSync(0)) came = true
    if (came) continue
    for (const link of waited) if (link.closed || !link.heard) waited.delete(link)
    const [first] = waited
    const now = performance.now()
    if (!first || now >= deadline) return
    // A link that gives up at once has come to its end, or cannot be read this way.
    if (!first.receiveSync(1) && performance.now() - now < 0.5) waited.delete(first)
  }
}
