import { setTimeout as sleep } from 'node:timers/promises'
import { isMainProcess, Process, Queue } from './transport.mjs'

export async function produce(count, queue) {
  for (let item = 0; item < count; item++) await queue.put(item)
  // No more items will come: the loop of every consumer ends when the queue is drained, however many consumers there are.
  await queue.shutdown()
}

export async function consume(queue) {
  const items = []
  for await (const item of queue) {
    items.push(item)
    await sleep(20)
  }
  return items
}

if (isMainProcess) {
  const queue = new Queue()
  const producer = new Process({ target: produce, args: [20, queue] })
  const consumers = [1, 2].map(n => new Process({ target: consume, args: [queue], name: `Consumer-${n}` }))
  for (const child of [producer, ...consumers]) child.start()

  const all = []
  for (const consumer of consumers) {
    const items = await consumer.result()
    console.log(`${consumer.name} took ${items.join(' ')}`)
    all.push(...items)
  }
  console.log(`all: ${all.sort((a, b) => a - b).join(' ')}`)
}
