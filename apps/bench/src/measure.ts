import type { Batch, Open, Session } from './session.js'

/**
 * Interleaved rounds: subject, baseline, subject, baseline, ... so that both see the same machine. A round opens a session
 * (its children are new), warms it up, measures, and closes it. The first round of each side is warm-up as a whole and finds
 * out how many messages fill the time; all others count.
 */

export interface Round {
  /** Messages per millisecond. */
  readonly rate: number
  readonly moved: number
  /** Milliseconds each; empty for throughput. */
  readonly latencies: Float64Array
}

export interface Measured {
  readonly subject: readonly Round[]
  /** As many as of the subject, taken turn by turn; empty where there is no baseline. */
  readonly baseline: readonly Round[]
}

export interface Limits {
  /** When the whole case should be done; on the clock of `performance.now()`. */
  readonly deadline: number
  readonly minRounds: number
  readonly maxRounds: number
  /** The largest batch, so that a flood of large messages does not fill the memory. */
  readonly maxBatch: number
  /** One event a round. */
  readonly onePerRound: boolean
}

const windowRange = { min: 15, max: 150 } // ms measured in one round
const warmUpShare = 0.4 // of the measured window, before each
const wantedRounds = 5
const calibrationTime = 4 // ms that a batch must take before its rate is believed
const stuckLimit = 20_000 // ms

interface Side {
  readonly open: Open
  readonly rounds: Round[]
  /** The last rate seen, in messages per millisecond of wall time. */
  pace: number
}

export async function measure(subject: Open, baseline: Open | null, limits: Limits): Promise<Measured> {
  const sides: Side[] = [{ open: subject, rounds: [], pace: 0 }]
  if (baseline) sides.push({ open: baseline, rounds: [], pace: 0 })

  let overhead = 0 // ms of opening and closing, both sides
  for (const side of sides) overhead += await calibrate(side, limits)

  const share = (limits.deadline - performance.now()) / wantedRounds - overhead
  const window = clamp(share / sides.length / (1 + warmUpShare), windowRange.min, windowRange.max)

  for (let round = 0; round < limits.maxRounds; round++) {
    const before = performance.now()
    for (const side of sides) side.rounds.push(await oneRound(side, window, limits))
    const after = performance.now()
    if (round + 1 >= limits.minRounds && after + (after - before) > limits.deadline) break
  }
  return { subject: sides[0]?.rounds ?? [], baseline: sides[1]?.rounds ?? [] }
}

/** The discarded round. Returns what opening and closing cost, in ms. */
async function calibrate(side: Side, { maxBatch, onePerRound }: Limits): Promise<number> {
  const before = performance.now()
  const session = await side.open()
  let count = onePerRound ? 1 : Math.min(16, maxBatch)
  let running = 0
  for (;;) {
    const wall = await wallTime(session, count)
    running += wall
    side.pace = count / wall
    if (onePerRound || wall >= calibrationTime || count >= maxBatch) break
    count = Math.min(maxBatch, count * 4)
  }
  await unstuck(session.close())
  return performance.now() - before - running
}

async function oneRound(side: Side, window: number, { maxBatch, onePerRound }: Limits): Promise<Round> {
  const session = await side.open()
  if (onePerRound) {
    const batch = await unstuck(session.run(1))
    await unstuck(session.close())
    return summed([batch])
  }
  const fit = (time: number) => Math.round(clamp(side.pace * time, 2, maxBatch))
  for (let left = window * warmUpShare; left > 0; ) {
    const count = fit(left)
    const wall = await wallTime(session, count)
    side.pace = count / wall
    left -= Math.max(wall, 1)
  }
  const batches: Batch[] = []
  const before = performance.now()
  do batches.push(await unstuck(session.run(fit(window - (performance.now() - before)))))
  while (performance.now() - before < window * 0.7)
  await unstuck(session.close())
  return summed(batches)
}

function summed(batches: readonly Batch[]): Round {
  let elapsed = 0
  let moved = 0
  for (const batch of batches) {
    elapsed += batch.elapsed
    moved += batch.moved
  }
  const latencies = new Float64Array(batches.reduce((length, batch) => length + batch.latencies.length, 0))
  let at = 0
  for (const batch of batches) {
    latencies.set(batch.latencies, at)
    at += batch.latencies.length
  }
  return { rate: moved / elapsed, moved, latencies }
}

async function wallTime(session: Session, count: number): Promise<number> {
  const before = performance.now()
  await unstuck(session.run(count))
  return performance.now() - before
}

/** Nothing here takes long; what does is a defect, and must not look like a slow machine. */
async function unstuck<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`a round made no progress for ${stuckLimit / 1000} s`)), stuckLimit)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value))
}
