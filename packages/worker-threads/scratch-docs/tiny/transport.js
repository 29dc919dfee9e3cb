import { MessageChannel, Worker } from 'node:worker_threads'
import { PortWire } from './wire.js'

const capabilities = Object.freeze({
  reach: 'thread',
  isolation: 'thread',
  sync: false,
  network: false,
  sharedMemory: false,
  attachments: false,
})

export const transport = Object.freeze({ name: 'tiny', capabilities, spawn })

function spawn({ id, name, env, execArgv, stdio }) {
  const { port1, port2 } = new MessageChannel()
  const worker = new Worker(new URL('./boot.js', import.meta.url), {
    name,
    workerData: port2,
    transferList: [port2],
    ...(env && { env: { ...process.env, ...env } }),
    ...(execArgv && { execArgv: [...execArgv] }),
    ...(stdio === 'ignore' && { stdout: true, stderr: true }),
  })
  if (stdio === 'ignore') {
    worker.stdout.resume()
    worker.stderr.resume()
  }
  worker.unref()
  let killedBy = null
  let error
  worker.on('error', reason => {
    error = reason
  })
  const exited = new Promise(resolve => {
    worker.on('exit', code => resolve({ code: killedBy ? null : code, signal: killedBy, ...(error && { error }) }))
  })
  return {
    id,
    pid: 2 ** 22 + worker.threadId,
    wire: new PortWire(port1),
    exited,
    kill(signal = 'SIGKILL') {
      killedBy ??= signal
      void worker.terminate()
    },
  }
}
