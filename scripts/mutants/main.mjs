/**
 * Puts small faults into the sources, one at a time, and tells which of them no test notices: `pnpm mutants --help`.
 *
 * Stryker does not serve here. It switches mutants on inside the process that runs the tests, and half of this code runs in
 * children, which load built files. So each mutant is put into the source of a copy, and its package is built anew.
 */
import { parseArgs } from 'node:util'
import { mutants } from './mutants.mjs'
import { Sandbox } from './sandbox.mjs'

const HELP = `pnpm mutants [--list] [--only TEXT]...

Puts each mutant into a copy of the repository, builds its package, and runs the tests that should notice.

  --only TEXT  only mutants whose name or file has this text; may be repeated
  --list       print the mutants, and run nothing
  --unchecked  do not run the tests without a mutant first

Exit code: 0 if every mutant was killed, 1 if one lives or is out of date, 2 for options that make no sense.
`

const options = readOptions()
if (options.help) process.stdout.write(HELP)
else if (options.list) for (const { name, file } of options.chosen) console.log(`${name.padEnd(56)} ${file}`)
else process.exitCode = await run(options.chosen, options.unchecked)

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', multiple: true, default: [] },
        list: { type: 'boolean', default: false },
        unchecked: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const { only } = values
    const chosen = mutants.filter(
      ({ name, file }) => only.length === 0 || only.some(text => name.includes(text) || file.includes(text)),
    )
    if (chosen.length === 0) throw new Error(`no mutant has '${only.join("' or '")}' in its name or file`)
    return { ...values, chosen }
  } catch (error) {
    process.stderr.write(`error: ${error.message}\n`)
    process.exit(2)
  }
}

/** Gives the exit code. */
async function run(chosen, unchecked) {
  const sandbox = new Sandbox()
  try {
    const failed = unchecked ? undefined : await sandbox.failureWithout(chosen)
    if (failed) {
      console.log(`The tests fail without a mutant, too: ${failed}`)
      return 1
    }
    const counts = { killed: 0, lives: 0, 'out of date': 0 }
    for (const mutant of chosen) {
      const started = performance.now()
      const { verdict, why } = await sandbox.try(mutant)
      counts[verdict]++
      const seconds = `${Math.round((performance.now() - started) / 1000)} s`
      console.log(`${verdict.padEnd(11)} ${mutant.name.padEnd(56)} ${seconds.padStart(5)}  ${why}`)
    }
    console.log(`${counts.killed} killed, ${counts.lives} live, ${counts['out of date']} out of date`)
    return counts.killed === chosen.length ? 0 : 1
  } finally {
    sandbox.remove()
  }
}
