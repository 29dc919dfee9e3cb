// Starts a daemon, tells its pid, and is killed.

import { writeSync } from 'node:fs'
import type { Connection } from '@mp/core'

const { Pipe, Process, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)

export async function linger(ready: Connection): Promise<void> {
  await ready.send('running')
  await new Promise(resolve => setTimeout(resolve, 60_000))
}

if (isMainProcess) {
  const [mine, theirs] = Pipe()
  const child = new Process({ target: linger, args: [theirs], daemon: true, stdio: 'ignore' })
  child.start()
  await mine.recv()
  writeSync(1, String(child.pid))
  process.kill(process.pid, 'SIGKILL')
}
