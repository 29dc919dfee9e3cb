import { parentPort } from 'node:worker_threads'
import { spin } from '../spin.js'

// Raw Node: sends back what comes, until the parent ends this worker with null. See `spin` for true.
const port = parentPort as NonNullable<typeof parentPort>

port.on('message', value => {
  if (value === null) port.close()
  else if (value === true) spin()
  else port.postMessage(value)
})
