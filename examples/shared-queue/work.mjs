// `node work.mjs <address>` takes tasks from serve.mjs until there are no more.

import { openQueue } from '@mp/unix-socket'

const address = process.argv[2] ?? '/tmp/shared-queue.sock'
const authKey = process.env.SHARED_QUEUE_KEY ?? 'not very secret'

const tasks = await openQueue(address, 'tasks', { authKey })
const results = await openQueue(address, 'results', { authKey })

let done = 0
for await (const n of tasks) {
  await results.put({ n, square: n * n })
  done++
}
console.log(`worked on ${done} tasks`)
