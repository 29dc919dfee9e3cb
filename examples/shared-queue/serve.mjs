// `node serve.mjs <address>` gives ten tasks to programs that know the address and the key, and prints the results.
// The workers are separate programs: start `node work.mjs <address>` from other shells, before or after this one.

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

// This ends the loops of the workers.
await tasks.shutdown()
await listener.close()
