import { writeJson } from './json.js'
import { parseOptions, UsageError } from './options.js'
import { isConforming, planned, type TransportOutcome } from './outcomes.js'
import { runOn } from './run.js'
import { printTable } from './table.js'
import { loadTransport } from './transports.js'

try {
  // pnpm runs the script in the repository's root, and tells in INIT_CWD where the user is.
  const options = parseOptions(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd())
  if (options) {
    const { transports, list, json } = options
    const seed = options.seed ?? 1 + Math.floor(Math.random() * 2 ** 31)
    if (!list) process.stderr.write(`MP_CONFORMANCE_SEED=${seed}\n`)
    process.env.MP_CONFORMANCE_SEED = String(seed)
    const outcomes: TransportOutcome[] = []
    for (const name of transports) {
      outcomes.push(list ? planned(name, (await loadTransport(name)).context) : await runOn(name, progress(name)))
    }
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
    printTable(outcomes, process.stdout)
    if (json) writeJson(json, outcomes, seed)
    process.exitCode = isConforming(outcomes) ? 0 : 1
  }
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}

/** On a terminal one line that is redrawn, elsewhere nothing. */
function progress(transport: string): (name: string) => void {
  let count = 0
  return name => {
    count++
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${transport} ${count}: ${name.slice(0, 60)}`)
  }
}
