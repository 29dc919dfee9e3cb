import type { Messages } from './payloads.js'

/** A subject or baseline that runs, and waits to be told how many messages to move. */
export interface Session {
  /** Messages that each batch moves, if fewer would give a different figure. Absent: as many as fill the time. */
  readonly batch?: number
  /** Called before each round that counts. */
  ready?(): void
  /** Moves `count` messages and checks each. Throughput patterns report `elapsed`, latency patterns also `latencies`. */
  run(count: number): Promise<Batch>
  /** Ends every child of this session and waits until it is gone. */
  close(): Promise<void>
}

export interface Batch {
  /** Milliseconds. Throughput: from the first message's arrival to the last one's. Latency: the sum of the latencies. */
  readonly elapsed: number
  /** How many messages, trips or spawns `elapsed` covers. For throughput the first message only starts the clock. */
  readonly moved: number
  /** Milliseconds each; empty for throughput. */
  readonly latencies: Float64Array
}

export type Open = () => Promise<Session>

/** Takes `count` messages one by one; `elapsed` runs from the first to the last. `receive` adds no promise of its own. */
export async function consume(count: number, receive: () => Promise<unknown>, { check }: Messages): Promise<Batch> {
  check(await receive(), 0)
  const first = performance.now()
  for (let sequence = 1; sequence < count; sequence++) check(await receive(), sequence)
  return streamed(performance.now() - first, count)
}

/** Makes `count` round trips, one after the other, and takes the time of each. */
export async function trips(
  count: number,
  send: (message: unknown) => Promise<void>,
  receive: () => Promise<unknown>,
  { make, check }: Pick<Messages, 'make' | 'check'>,
): Promise<Batch> {
  const latencies = new Float64Array(count)
  let before = performance.now()
  for (let sequence = 0; sequence < count; sequence++) {
    await send(make(sequence))
    check(await receive(), sequence)
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
  return { elapsed, moved: count - 1, latencies: new Float64Array(0) }
}
