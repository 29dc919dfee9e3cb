// The main part ends while a child is alive, and sets an exit code.

import { writeSync } from 'node:fs'
import type { Connection } from '@mp/core'

const { Pipe, Process, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)

export async function outlive(ready: Connection): Promise<void> {
  await ready.send('running')
  await new Promise(resolve => setTimeout(resolve, process.env.MP_CONFORMANCE_DAEMON ? 60_000 : 300))
  writeSync(1, 'child ends\n')
}

if (isMainProcess) {
  const [mine, theirs] = Pipe()
  new Process({ target: outlive, args: [theirs], daemon: process.env.MP_CONFORMANCE_DAEMON !== '' }).start()
  await mine.recv()
  writeSync(1, 'main ends\n')
  process.exitCode = 3
}
