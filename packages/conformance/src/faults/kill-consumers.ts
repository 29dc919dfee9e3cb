import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { BoundContext, Connection, Process, Queue } from '@mp/core'
import { eventually, within } from '../harness.js'
import { patiently } from '../patience.js'
import * as targets from '../targets-faults.js'
import { turns } from '../turns.js'
import { SOON } from './limits.js'
import { assertFlat, describeGrowth, tell, usage } from './usage.js'

interface FlowResult {
  readonly killed: number
  readonly put: number
  readonly lost: number
  /** ms */
  readonly slowest: number
}

interface Consumer {
  readonly child: Process
  /** Settles when all its acknowledgements have been read. */
  readonly acks: Promise<void>
  count(): number
  idle(): boolean
}

/** Uses several queues side by side, with three consumers each, since a consumer takes long to start. */
export async function killConsumers(api: BoundContext, kills: number): Promise<void> {
  const before = await usage()
  const flows = await Promise.all([0, 1, 2, 3].map(index => flow(api, Math.floor((kills + index) / 4))))
  const sum = (of: (flow: FlowResult) => number) => flows.reduce((total, flow) => total + of(flow), 0)
  const slowest = Math.max(...flows.map(flow => flow.slowest))
  const after = await usage()
  const [killed, lost] = [sum(flow => flow.killed), sum(flow => flow.lost)]
  tell(
    `${killed} consumers killed, ${lost} with an item in hand; ${sum(flow => flow.put)} items; ` +
      `longest wait of the producer ${slowest.toFixed(0)} ms; ${describeGrowth(before, after)}`,
  )
  assert.equal(killed, kills)
  assert.ok(lost > 0, 'no kill came while a consumer had an item')
  assert.ok(lost <= killed, `${killed} consumers had one item each in hand, and ${lost} are lost`)
  assert.ok(slowest < patiently(SOON), `a put waited for ${slowest} ms`)
  assertFlat(before, after)
}

async function flow(api: BoundContext, kills: number): Promise<FlowResult> {
  const queue = new api.Queue<number>(100)
  const acknowledged = new Map<number, number>()
  const consumers = await Promise.all([0, 1, 2].map(() => startConsumer(api, queue, acknowledged)))
  let put = 0
  let slowest = 0
  let going = true
  const producing = (async () => {
    for (; going; put++) {
      const start = performance.now()
      await within(queue.put(put), `put ${put}`)
      slowest = Math.max(slowest, performance.now() - start)
      // As fast as possible, but others must get their turn.
      if (put % 50 === 49) await turns(1)
    }
  })()
  for (let killed = 0; killed < kills; killed++) {
    const index = Math.floor(Math.random() * consumers.length)
    const [victim] = consumers.splice(index, 1) as [Consumer]
    const before = victim.count()
    await eventually(() => victim.count() > before, 'an acknowledgement')
    await pause(Math.random() * 5)
    victim.child.kill()
    assert.equal(await within(victim.child.join(), 'join', SOON), -9)
    await within(victim.acks, 'the end of its acknowledgements', SOON)
    consumers.push(await startConsumer(api, queue, acknowledged))
  }
  going = false
  await producing
  await eventually(async () => (await queue.qsize()) === 0, 'the last item')
  // A consumer that waits for the next item has acknowledged all items before.
  await eventually(() => consumers.every(({ idle }) => idle()), 'the last acknowledgements')
  for (const { child, acks } of consumers) {
    child.kill()
    await within(child.join(), 'join', SOON)
    await within(acks, 'the end of the acknowledgements', SOON)
  }
  const doubled = [...acknowledged].filter(([, times]) => times > 1)
  assert.deepEqual(doubled, [])
  await queue.close()
  return { killed: kills, put, lost: put - acknowledged.size, slowest }
}

async function startConsumer(
  api: BoundContext,
  queue: Queue<number>,
  acknowledged: Map<number, number>,
): Promise<Consumer> {
  const [mine, theirs] = api.Pipe<never, number>()
  const child = new api.Process({ target: targets.consumeForEver, args: [queue, theirs as never] })
  await within(child.start(), 'start')
  let count = 0
  let last = performance.now()
  const listen = async () => {
    for await (const item of mine as Connection<never, number>) {
      acknowledged.set(item, (acknowledged.get(item) ?? 0) + 1)
      count++
      last = performance.now()
    }
  }
  return {
    child: child as unknown as Process,
    acks: listen(),
    count: () => count,
    idle: () => performance.now() - last > 100,
  }
}
