// `node run.mjs <broken transport>` runs the cases that must fail, in a new process. `node run.mjs sound` runs the same cases on the
// sound transports. Prints the outcome of each: null, or the message of its failure.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { conformance } from '@mp/conformance'
import { createContext } from '@mp/core'
import { transport as memory } from '@mp/memory'
import { transport as threads } from '@mp/worker-threads'
import { all } from './all.mjs'

// The case that removes what the suite has used is not run here.
const folder = mkdtempSync(join(tmpdir(), 'mp-broken-'))
process.env.TMPDIR = folder
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

const entries = new Map([
  [memory.name, new URL('../../dist/index.js', import.meta.url)],
  [threads.name, new URL('../../../worker-threads/dist/index.js', import.meta.url)],
])

/** The cases of each transport. They are declared once, so that what the program holds without them is measured once. */
const declared = new Map()

function casesOf(transport) {
  if (!declared.has(transport)) declared.set(transport, declare(transport))
  return declared.get(transport)
}

function declare(transport) {
  const cases = []
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
      if (!skip) cases.push({ group: path.at(-1), name, body })
    },
  })
  return cases
}

/** The outcome of a case: null if it passed, else why it failed. */
async function outcome(transport, [group, begins]) {
  const found = casesOf(transport).filter(each => each.group === group && each.name.startsWith(begins))
  if (found.length !== 1) throw new Error(`${found.length} cases of '${group}' begin with '${begins}'`)
  // As any test runner does, this blames the case that runs for it.
  let onUncaught
  const uncaught = new Promise(resolve => {
    onUncaught = error => resolve(error.message)
    process.once('uncaughtException', onUncaught)
  })
  const body = found[0].body().then(
    () => null,
    error => error.message,
  )
  const came = await Promise.race([uncaught, body])
  process.off('uncaughtException', onUncaught)
  return came
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
