import { Socket } from 'node:net'
import { workerData } from 'node:worker_threads'

// Nothing is ever sent here: what comes is the end of the parent, however it died.
const lifeline = new Socket({ fd: workerData as number })
lifeline.on('error', () => {})
lifeline.on('close', () => process.kill(process.pid, 'SIGKILL'))
lifeline.resume()
