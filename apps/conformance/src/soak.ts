import { UsageError } from './options.js'
import { soakAll } from './soak-all.js'
import { parseSoakOptions } from './soak-options.js'

try {
  const options = parseSoakOptions(process.argv.slice(2))
  if (options) process.exitCode = (await soakAll(options)) ? 0 : 1
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : error}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
