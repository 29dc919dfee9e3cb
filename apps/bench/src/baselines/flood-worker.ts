import { parentPort, workerData } from 'node:worker_threads'
import { messagesOf } from '../payloads.js'

// Raw Node: each order is a number of messages, all posted at once; structured clone copies each at the call.
const { payload, make } = messagesOf(workerData)
const port = parentPort as NonNullable<typeof parentPort>

port.on('message', (count: number) => {
  if (count === 0) port.close()
  else if (payload.kind === 'transfer') {
    for (let sequence = 0; sequence < count; sequence++) {
      const buffer = make(sequence) as ArrayBuffer
      port.postMessage(buffer, [buffer])
    }
  } else {
    for (let sequence = 0; sequence < count; sequence++) port.postMessage(make(sequence))
  }
})
