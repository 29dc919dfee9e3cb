import { inspect } from 'node:util'
import { killChildren } from './children.js'
import { killHands } from './hands.js'
import { parseOptions, UsageError } from './options.js'
import { killPython } from './reference/python.js'
import { printTable } from './report/table.js'
import { checkWritable, writeReports } from './report/write.js'
import { run } from './run.js'
import { atEnd } from './signals.js'

/** pnpm runs the script in the repository's root, and tells in INIT_CWD where the user is. Under another script it means nothing. */
function startedIn(): string {
  const { INIT_CWD: initial, npm_lifecycle_event: script } = process.env
  return initial && (script === undefined || script === 'bench') ? initial : process.cwd()
}

atEnd(() => {
  killChildren()
  killHands()
  killPython()
})

try {
  const options = parseOptions(process.argv.slice(2), startedIn())
  if (options) {
    checkWritable([options.json, options.html])
    const results = await run(options)
    printTable(results, process.stdout)
    writeReports(results, options)
    exitUnlessIdle()
  }
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n`)
  // An error in a round is a defect of the product or of this program, so its stack is printed, and what caused it.
  if (error instanceof Error && error.cause instanceof Error) process.stderr.write(`${inspect(error.cause)}\n`)
  process.exit(error instanceof UsageError ? 2 : 1)
}

/** All is closed, so the event loop must end by itself. If something still holds it, that is a leak, which is reported. */
function exitUnlessIdle(): void {
  const patience = 3000 // ms
  setTimeout(() => {
    const held = process.getActiveResourcesInfo().filter(name => name !== 'Timeout')
    process.stderr.write(`error: something was left open after the last round: ${held.join(', ') || 'a timer'}\n`)
    process.exit(1)
  }, patience).unref()
}
