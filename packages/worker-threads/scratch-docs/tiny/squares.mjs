import { isMainProcess, Process, Queue } from './index.js'
export async function square(numbers, queue) { for (const n of numbers) await queue.put(n * n) }
if (isMainProcess) {
  const queue = new Queue()
  const child = new Process({ target: square, args: [[0, 1, 2, 3, 4], queue] })
  child.start()
  await child.join()
  while (!(await queue.empty())) console.log(await queue.get())
}
