// `node serve.mjs <address>`: gives out ten tasks by address and key, and prints what comes back.
// The workers are programs of their own: `node work.mjs <address>`, from other shells, before or after.

import { listen, Queue } from '@mp/unix-socket'

const address = process.argv[2] ?? '/tmp/shared-queue.sock'
const authKey = process.env.SHARED_QUEUE_KEY ?? 'not very secret'

const tasks = new Queue()
const results = new Queue()
for (let n = 1; n <= 10; n++) await tasks.put(n)

const listener = await listen(address, { authKey })
void listener.serve({ tasks, results })
console.log(`serving at ${listener.address}`)

let sum = 0
for (let done = 0; done < 10; done++) sum += (await results.get()).square
console.log(`the squares of 1 to 10 add up to ${sum}`)

// The workers' loops end by it.
await tasks.shutdown()
await listener.close()
