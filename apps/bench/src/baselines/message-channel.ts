import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { type Messages, messagesOf } from '../payloads.js'
import type { Baseline } from './baseline.js'
import { messagesFrom, receiveFlood, roundTrips } from './loops.js'

/**
 * A MessageChannel whose two ports stay in one thread: the counterpart of the memory transport in raw Node. Nothing is started, so
 * there is no baseline for a start.
 */
export const messageChannel: Baseline = {
  name: 'MessageChannel',
  description: 'a bare MessageChannel with both ports in one thread: postMessage, structured clone',
  apart: false,
  async flood(name) {
    const messages = messagesOf(name)
    const { port1, port2 } = new MessageChannel()
    return {
      async run(count) {
        const received = receiveFlood(messagesFrom(port1), messages, count)
        await Promise.all([received, post(port2, messages, count)])
        return received
      },
      close: () => close(port1),
    }
  },
  async echo(name) {
    const messages = messagesOf(name)
    const { port1, port2 } = new MessageChannel()
    port2.on('message', value => port2.postMessage(value))
    const send = (message: unknown) => port1.postMessage(message)
    return {
      run: count => roundTrips(messagesFrom(port1), send, messages, count),
      close: () => close(port1),
    }
  },
  hello: null,
}

const sliceLength = 256
const sliceBytes = 1024 * 1024

/**
 * Posts in slices, one per turn of the event loop. Producer and consumer share a thread here: if all were posted at once, they would
 * all be there before the consumer's clock starts, and the cost of posting would not count.
 */
async function post(port: MessageChannel['port1'], { payload, make }: Messages, count: number): Promise<void> {
  const slice = Math.max(1, Math.min(sliceLength, Math.floor(sliceBytes / (payload.bytes ?? 1))))
  for (let sequence = 0; sequence < count; ) {
    for (const end = Math.min(count, sequence + slice); sequence < end; sequence++) {
      const value = make(sequence)
      if (payload.kind === 'transfer') port.postMessage(value, [value as ArrayBuffer])
      else port.postMessage(value)
    }
    await new Promise(setImmediate)
  }
}

async function close(port: MessageChannel['port1']): Promise<void> {
  const closed = once(port, 'close')
  port.close()
  await closed
}
