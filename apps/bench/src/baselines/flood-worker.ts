import { parentPort, workerData } from 'node:worker_threads'
import { sitOn } from '../core.js'
import { messagesOf } from '../payloads.js'

// Raw Node: each order is a number of messages, all posted at once; structured clone copies each at the call.
const { payload, make } = messagesOf(workerData.payload)
const port = parentPort as NonNullable<typeof parentPort>

if (workerData.core !== null) sitOn(workerData.core)
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
