/** What a producer says of itself. Its items are numbered from 0. */
export interface ProducerHistory {
  /** How many of its puts had resolved. */
  readonly resolved: number
  /** How many of them a `flush()` had covered. */
  readonly flushed: number
  /** It was killed, or its context was terminated. */
  readonly killed: boolean
}

export interface Taken {
  readonly producer: number
  readonly sequence: number
}

/** What a consumer wrote down, in its order. */
export interface ConsumerHistory {
  readonly name: string
  readonly taken: readonly Taken[]
  /** How many calls waited there at a time. */
  readonly abreast: number
  /** Whether these calls could not give up. */
  readonly firm: boolean
  /** It was killed, or its context was terminated. */
  readonly killed: boolean
}

export interface QueueHistory {
  readonly producers: readonly ProducerHistory[]
  readonly consumers: readonly ConsumerHistory[]
  /** The queue is the medium's own: a put that resolved has arrived, and a consumer has nothing that can come back. */
  readonly native: boolean
  /** The queue's home was killed: what was in it is gone. */
  readonly homeKilled: boolean
}

export interface Settlement {
  /** How many items were given to user code. */
  readonly items: number
  /** How many were claimed for consumers that were killed before they had written them down. */
  readonly inHand: number
  /** How many came back from consumers that had ended, when others already had younger ones. */
  readonly late: number
  /** What the contract (docs/adr/0005 and 0013) does not allow, in words. */
  readonly violations: readonly string[]
}

/**
 * Compares what was put into a queue with what its consumers were given.
 *
 * - Each item is given once at most.
 * - Of a producer that ended in order, all resolved puts arrive; of one that was killed, those that it flushed. Whatever arrives is
 *   the beginning of what it put.
 * - A consumer that was killed takes one item for each of its calls with it, which it had no time to write down.
 * - Each consumer sees the items of a producer in their order. What a consumer was sent for calls that cannot give up, one for each,
 *   may come late when the consumer has ended.
 */
export function settle({ producers, consumers, native, homeKilled }: QueueHistory): Settlement {
  const violations: string[] = []
  const owners = producers.map(() => new Map<number, string>())
  const lateAllowed = native ? 0 : abreastOf(consumers.filter(({ firm }) => firm))
  let items = 0
  let late = 0
  for (const { name, taken } of consumers) {
    const youngest = new Map<number, number>()
    for (const { producer, sequence } of taken) {
      const owner = owners[producer]
      if (!owner) {
        violations.push(`${name} was given an item of no producer, ${producer}`)
        continue
      }
      items++
      const other = owner.get(sequence)
      if (other !== undefined) violations.push(`item ${producer}:${sequence} was given to ${other} and to ${name}`)
      owner.set(sequence, name)
      const before = youngest.get(producer) ?? -1
      if (sequence < before) {
        late++
        if (late > lateAllowed) {
          violations.push(
            `item ${producer}:${sequence} came to ${name} after ${before}; late ${late}, allowed ${lateAllowed}`,
          )
        }
      } else youngest.set(producer, sequence)
    }
  }
  const missing = homeKilled ? [] : producers.flatMap((each, index) => missingOf(each, index, owners, native))
  const allowed = abreastOf(consumers.filter(({ killed }) => killed))
  if (missing.length > allowed) {
    violations.push(`${missing.length} items are lost, allowed ${allowed}: ${missing.slice(0, 20).join(' ')}`)
  }
  return { items, inHand: missing.length, late, violations }
}

/** How many calls waited at all of them together. */
function abreastOf(consumers: readonly ConsumerHistory[]): number {
  return consumers.reduce((total, { abreast }) => total + abreast, 0)
}

function missingOf(
  { resolved, flushed, killed }: ProducerHistory,
  producer: number,
  owners: readonly ReadonlyMap<number, string>[],
  native: boolean,
): string[] {
  const given = owners[producer] as ReadonlyMap<number, string>
  let end = killed && !native ? flushed : resolved
  for (const sequence of given.keys()) end = Math.max(end, sequence + 1)
  const missing: string[] = []
  for (let sequence = 0; sequence < end; sequence++) {
    if (!given.has(sequence)) missing.push(`${producer}:${sequence}`)
  }
  return missing
}
