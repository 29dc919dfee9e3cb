/** How many events are kept for whoever looks for a cause. */
const LAST_EVENTS = 200

/** What is counted. */
const COUNTS = ['scenes', 'items', 'inHand', 'late', 'messages', 'jobs', 'holds', 'kills', 'ends', 'moves'] as const

type Count = (typeof COUNTS)[number]

/** What is timed. */
export type Wait = 'start' | 'end' | 'drain' | 'job' | 'lock'

/** What a soak has counted so far, its violations, and its last events. */
export class Tally {
  readonly counts: Record<Count, number>
  /** ms */
  readonly longest = new Map<Wait, number>()
  readonly violations: string[] = []
  readonly #events: string[] = []
  readonly #start = performance.now()

  constructor() {
    this.counts = Object.fromEntries(COUNTS.map(count => [count, 0])) as Record<Count, number>
  }

  count(what: Count, by = 1): void {
    this.counts[what] += by
  }

  /** Notes how long the action took. Passes on its result. */
  async timed<T>(what: Wait, action: PromiseLike<T>): Promise<T> {
    const start = performance.now()
    try {
      return await action
    } finally {
      this.longest.set(what, Math.max(this.longest.get(what) ?? 0, performance.now() - start))
    }
  }

  event(scene: string, text: string): void {
    if (this.violations.length > 0) return
    this.#events.push(`${(performance.now() - this.#start).toFixed(0).padStart(7)} ms  ${scene}: ${text}`)
    if (this.#events.length > LAST_EVENTS) this.#events.shift()
  }

  violation(scene: string, text: string): void {
    this.event(scene, `VIOLATION ${text}`)
    this.violations.push(`${scene}: ${text}`)
  }

  /** The last events up to the first violation, oldest first. */
  get trace(): readonly string[] {
    return this.#events
  }
}
