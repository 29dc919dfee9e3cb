import { collectGarbage } from './garbage.js'
import type { Batch, Open, Session } from './session.js'

/**
 * Rounds alternate (subject, baseline, subject, baseline, ...), so that both see the same machine. They come in generations: each
 * opens new children on both sides, warms both up, measures a few rounds, and ends the children.
 *
 * - Why new children: V8 may optimise the same code in different ways, which gives different figures.
 * - Why not for each round: a thread needs some 100,000 messages until its code is compiled, and a round that measures the compiler
 *   says little about the transport.
 *
 * Both sides receive in this process. If one leaves much garbage, it is collected before the other's round begins.
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
  /** As many as of the subject, in turns with these; empty if there is no baseline. */
  readonly baseline: readonly Round[]
  /** The same of each rival. */
  readonly rivals: readonly (readonly Round[])[]
}

export interface Limits {
  /** Milliseconds that the whole case may take. */
  readonly allowance: number
  readonly maxGenerations: number
  readonly roundsPerGeneration: number
  /** The least milliseconds of a warm-up, and of a round. */
  readonly shortest: { readonly warmUp: number; readonly round: number }
  /** The share of the warm-up that remains when the other side is up, however long its start took. */
  readonly warm: number
  /** Whether garbage is collected before each round. This takes some 10 ms. */
  readonly collects: boolean
  /** Messages in a batch at most, so that a flood of large ones does not fill the memory. */
  readonly maxBatch: number
  /** Messages that the warm-up moves at least, if there is time. */
  readonly minWarmUp: number
}

const roomForTwo = 1200 // ms of allowance from which on there are two generations
const warmUp = { share: 0.4, max: 500 } // of the allowance, and ms: the longest, for each generation and side
const measured = { share: 0.35, max: 150 } // of the allowance for all rounds together, and ms for each
const settleStep = 20 // ms
const rise = 1.04 // over the best pace so far
const steadyFor = 4 // steps without a rise
const believable = 4 // ms that a batch must take before its pace is believed
const stuckLimit = 20_000 // ms

interface Side {
  readonly open: Open
  readonly rounds: Round[]
}

interface Running {
  readonly session: Session
  readonly rounds: Round[]
  readonly maxBatch: number
  /** The last pace seen, in messages per millisecond of wall time. */
  pace: number
}

export async function measure(
  subject: Open,
  baseline: Open | null,
  rivals: readonly Open[],
  limits: Limits,
): Promise<Measured> {
  const sides = sidesOf(subject, baseline, rivals)
  const { allowance, maxGenerations, roundsPerGeneration, shortest, collects, maxBatch, minWarmUp } = limits
  const deadline = performance.now() + allowance
  const planned = allowance > roomForTwo ? 2 : 1
  const warmUpTime = within(warmUp, shortest.warmUp, allowance / planned)
  const roundTime = within(measured, shortest.round, allowance / (planned * roundsPerGeneration * sides.length))

  for (let generation = 0; generation < maxGenerations; generation++) {
    const before = performance.now()
    const running: Running[] = []
    for (const { open, rounds } of sides) {
      const session = await unstuck(open())
      const each = { session, rounds, maxBatch, pace: 0.1 }
      await settle(each, warmUpTime, limits.warm, minWarmUp)
      running.push(each)
    }
    for (let round = 0; round < roundsPerGeneration; round++) {
      for (const each of running) {
        each.session.ready?.()
        if (collects) collectGarbage()
        each.rounds.push(joined(await fill(each, roundTime)))
      }
    }
    for (const { session } of running) await unstuck(session.close())
    const now = performance.now()
    if (now + (now - before) > deadline) break
  }
  return resultOf(sides, baseline !== null)
}

/** For single events that take long: one per round. The first event of each side is a warm-up. */
export async function measureOneByOne(
  subject: Open,
  baseline: Open | null,
  limits: { allowance: number; minRounds: number; maxRounds: number },
): Promise<Measured> {
  const sides = sidesOf(subject, baseline, [])
  const deadline = performance.now() + limits.allowance
  for (let round = -1; round < limits.maxRounds; round++) {
    const before = performance.now()
    for (const { open, rounds } of sides) {
      const session = await unstuck(open())
      const batch = await unstuck(session.run(1))
      await unstuck(session.close())
      if (round >= 0) rounds.push(joined([batch]))
    }
    const now = performance.now()
    if (round + 1 >= limits.minRounds && now + (now - before) > deadline) break
  }
  return resultOf(sides, baseline !== null)
}

function sidesOf(subject: Open, baseline: Open | null, rivals: readonly Open[]): Side[] {
  return [subject, ...(baseline ? [baseline] : []), ...rivals].map(open => ({ open, rounds: [] }))
}

function resultOf(sides: readonly Side[], withBaseline: boolean): Measured {
  const [subject = [], ...others] = sides.map(({ rounds }) => rounds)
  const baseline = withBaseline ? (others.shift() ?? []) : []
  return { subject, baseline, rivals: others }
}

/**
 * Warms up until the pace rises no more, for `time` at most; but for at least `warm` of that once both sides are up, however long
 * their start took. The pace of raw Node soon rises no more; JavaScript that V8 must compile takes longer.
 */
async function settle(running: Running, time: number, warm: number, minMoved: number): Promise<void> {
  const before = performance.now()
  // Meanwhile the other side starts: a process takes 100 ms for that, and is cold afterwards.
  await unstuck(running.session.run(running.session.batch ?? 2))
  const end = Math.max(before + time, performance.now() + time * warm)
  let best = 0
  let steady = 0
  let moved = 0
  while ((steady < steadyFor || moved < minMoved) && performance.now() < end) {
    moved += joined(await fill(running, settleStep)).moved
    steady = running.pace > best * rise ? 0 : steady + 1
    best = Math.max(best, running.pace)
  }
}

/** Runs as few batches as fill the time. A short rest is not filled, since a short batch tells little. */
async function fill(running: Running, time: number): Promise<Batch[]> {
  const batches: Batch[] = []
  let left = time
  do {
    const count = running.session.batch ?? Math.round(clamp(running.pace * left, 2, running.maxBatch))
    const before = performance.now()
    batches.push(await unstuck(running.session.run(count)))
    const wall = performance.now() - before
    left -= wall
    running.pace = wall >= believable || count >= running.maxBatch ? count / wall : running.pace * 4
  } while (left > time * 0.3)
  return batches
}

function joined(batches: readonly Batch[]): Round {
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

/** Nothing here takes long. If something does, that is a defect, and must not look like a slow machine. */
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

function within({ share, max }: { share: number; max: number }, min: number, time: number): number {
  return clamp(share * time, min, max)
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value))
}
