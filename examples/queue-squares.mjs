import { isMainProcess, Process, Queue } from './transport.mjs'

export async function putSquares(numbers, queue) {
  for (const number of numbers) await queue.put(number ** 2)
}

if (isMainProcess) {
  const queue = new Queue()
  const child = new Process({ target: putSquares, args: [[0, 1, 2, 3, 4], queue] })
  child.start()
  // It is safe to join first: the items are not in the child, but here, where the queue was made.
  await child.join()
  while (!(await queue.empty())) console.log(await queue.get())
}
