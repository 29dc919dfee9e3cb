import { parentPort } from 'node:worker_threads'

// Raw Node: sends back what comes, until the parent ends this worker with null.
const port = parentPort as NonNullable<typeof parentPort>

port.on('message', value => {
  if (value === null) port.close()
  else port.postMessage(value)
})
