import { setTimeout as sleep } from 'node:timers/promises'
import { isMainProcess, Process } from './transport.mjs'

// One second of waiting stands for one second of work: the tasks then overlap on `memory` too, whose children share one
// thread and cannot work at the same time.
export async function square(number) {
  await sleep(1000)
  return number ** 2
}

if (isMainProcess) {
  const numbers = [0, 1, 2, 3, 4]

  const serialStart = performance.now()
  for (const number of numbers) await square(number)
  console.log(`serial: ${secondsSince(serialStart)} s`)

  const parallelStart = performance.now()
  const children = numbers.map(number => new Process({ target: square, args: [number] }))
  for (const child of children) child.start()
  for (const child of children) await child.join()
  console.log(`parallel: ${secondsSince(parallelStart)} s`)
}

function secondsSince(start) {
  return ((performance.now() - start) / 1000).toFixed(1)
}
