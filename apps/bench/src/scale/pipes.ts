import { median } from 'simple-statistics'
import { startChild } from '../children.js'
import { receiveInTurn } from '../targets/scale.js'
import type { TransportModule } from '../transports.js'

const FEW = 10
const MANY = 1000
/** Messages of a round. */
const MESSAGES = 20_000
const ROUNDS = 7

export interface PipeScale {
  /** Messages a second to one child, over so many pipes in turn. */
  readonly few: number
  readonly many: number
  /** `many` through `few`: the median of rounds that alternate. */
  readonly ratio: number
}

/** Sends one message over each of many pipes in turn, and compares that with few pipes. */
export async function pipeScale(module: TransportModule): Promise<PipeScale> {
  const few = await open(module, FEW)
  const many = await open(module, MANY)
  // What a warm program sees.
  for (const each of [few, many, few, many]) await each.round()
  const rates: { few: number; many: number }[] = []
  for (let i = 0; i < ROUNDS; i++) rates.push({ few: await few.round(), many: await many.round() })
  await few.close()
  await many.close()
  return {
    few: median(rates.map(rate => rate.few)),
    many: median(rates.map(rate => rate.many)),
    ratio: median(rates.map(rate => rate.many / rate.few)),
  }
}

async function open(module: TransportModule, count: number) {
  const pipes = Array.from({ length: count }, () => module.Pipe<number, never>())
  const [orders, theirs] = module.Pipe<number, number>()
  const child = startChild(module, receiveInTurn, [theirs, pipes.map(([, end]) => end as never)])
  const ends = pipes.map(([end]) => end)
  return {
    /** Messages a second. */
    async round(): Promise<number> {
      const times = MESSAGES / count
      const start = performance.now()
      await orders.send(times)
      let value = 0
      let sum = 0
      for (let i = 0; i < times; i++) {
        for (const end of ends) {
          sum += ++value
          await end.send(value)
        }
      }
      const came = await child.during(orders.recv())
      const ms = performance.now() - start
      if (came !== sum) throw new Error(`the messages add up to ${came}, not ${sum}`)
      return (MESSAGES / ms) * 1000
    },
    async close(): Promise<void> {
      await orders.close()
      await child.ended()
      await Promise.all(ends.map(end => end.close()))
    },
  }
}
