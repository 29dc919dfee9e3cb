// The usual program: one file. Its main part awaits, at the top level, a process that runs a function of the same file.

import type { Queue as CoreQueue } from '@mp/core'

const { Process, Queue, isMainProcess } = await import(process.env.MP_CONFORMANCE_MODULE as string)

export async function square(numbers: number[], queue: CoreQueue<number>): Promise<void> {
  for (const n of numbers) await queue.put(n * n)
}

if (isMainProcess) {
  const queue = new Queue()
  const child = new Process({ target: square, args: [[0, 1, 2, 3, 4], queue] })
  child.start()
  await child.join()
  const squares: unknown[] = []
  while (!(await queue.empty())) squares.push(await queue.get())
  console.log(squares.join())
}
