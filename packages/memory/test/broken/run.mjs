// `node run.mjs <broken transport>`, or `sound`: runs the cases that must fail, or the same ones on the transports as they
// are, in a process that nothing has broken before. Prints what came of each: null, or the message of its failure.
import { conformance } from '@mp/conformance'
import { createContext } from '@mp/core'
import { transport as memory } from '@mp/memory'
import { transport as threads } from '@mp/worker-threads'
import { all } from './all.mjs'

const entries = new Map([
  [memory.name, new URL('../../dist/index.js', import.meta.url)],
  [threads.name, new URL('../../../worker-threads/dist/index.js', import.meta.url)],
])

/** What came of a case: null where it passed, else why it failed. */
async function outcome(transport, [group, begins]) {
  const found = []
  const path = []
  conformance({
    transport,
    context: createContext(transport),
    module: entries.get(transport.name),
    describe(name, body) {
      path.push(name)
      body()
      path.pop()
    },
    test(name, { skip }, body) {
      if (!skip && path.at(-1) === group && name.startsWith(begins)) found.push(body)
    },
  })
  if (found.length !== 1) throw new Error(`${found.length} cases of '${group}' begin with '${begins}'`)
  // Any test runner counts it against the case that runs.
  const uncaught = new Promise(resolve => process.once('uncaughtException', error => resolve(error.message)))
  return Promise.race([
    uncaught,
    found[0]().then(
      () => null,
      error => error.message,
    ),
  ])
}

const outcomes = {}
const name = process.argv[2]
if (name === 'sound') {
  for (const { transport, fails } of Object.values(all)) {
    const sound = transport.name === memory.name ? memory : threads
    for (const each of fails) outcomes[`${sound.name}: ${each.join(': ')}`] ??= await outcome(sound, each)
  }
} else {
  const { transport, fails } = all[name]
  for (const each of fails) outcomes[each.join(': ')] = await outcome(transport, each)
}
process.stdout.write(JSON.stringify(outcomes))
process.exit()
