import { parentPort, workerData } from 'node:worker_threads'
import { sitOn } from '../core.js'

// Raw Node: sends back what comes, until the parent ends this worker with null.
const port = parentPort as NonNullable<typeof parentPort>

if (workerData.core !== null) sitOn(workerData.core)
port.on('message', value => {
  if (value === null) port.close()
  else port.postMessage(value)
})
