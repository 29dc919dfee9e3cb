/** One living subject or baseline: it is up, and waits to be told how many messages to move. */
export interface Session {
  /** Moves `count` messages and checks each. Throughput patterns report `elapsed`, latency patterns also `latencies`. */
  run(count: number): Promise<Batch>
  /** Ends every child of this session and waits until it is gone. */
  close(): Promise<void>
}

export interface Batch {
  /** Milliseconds. Throughput: from the first message's arrival to the last one's. Latency: the sum of the latencies. */
  readonly elapsed: number
  /** How many messages, trips or spawns `elapsed` covers; for throughput the first message only starts the clock. */
  readonly moved: number
  /** Milliseconds each; empty for throughput. */
  readonly latencies: Float64Array
}

export type Open = () => Promise<Session>

const none = new Float64Array(0)

/** Takes `count` messages one by one; `elapsed` runs from the first to the last. */
export async function consume(count: number, next: (sequence: number) => Promise<void>): Promise<Batch> {
  await next(0)
  const first = performance.now()
  for (let sequence = 1; sequence < count; sequence++) await next(sequence)
  return { elapsed: performance.now() - first, moved: count - 1, latencies: none }
}

/** Makes `count` round trips (or spawns), one after the other, and takes the time of each. */
export async function trips(count: number, trip: (sequence: number) => Promise<void>): Promise<Batch> {
  const latencies = new Float64Array(count)
  let before = performance.now()
  for (let sequence = 0; sequence < count; sequence++) {
    await trip(sequence)
    const now = performance.now()
    latencies[sequence] = now - before
    before = now
  }
  return timed(latencies)
}

export function timed(latencies: Float64Array): Batch {
  let elapsed = 0
  for (const latency of latencies) elapsed += latency
  return { elapsed, moved: latencies.length, latencies }
}

export function streamed(elapsed: number, count: number): Batch {
  return { elapsed, moved: count - 1, latencies: none }
}
