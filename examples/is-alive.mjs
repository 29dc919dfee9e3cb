import { setTimeout as sleep } from 'node:timers/promises'
import { isMainProcess, Process } from './transport.mjs'

export async function nap() {
  await sleep(100)
}

if (isMainProcess) {
  const child = new Process({ target: nap })
  console.log(`before: alive ${child.isAlive()}, exit code ${child.exitCode}`)

  await child.start()
  console.log(`during: alive ${child.isAlive()}, exit code ${child.exitCode}`)

  await child.join()
  console.log(`after: alive ${child.isAlive()}, exit code ${child.exitCode}`)
}
