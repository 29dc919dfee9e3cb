import { resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import { closest } from 'fastest-levenshtein'
import { transportNames } from './transports.js'

export interface Options {
  readonly transports: readonly string[]
  /** Prints what there is, and runs nothing. */
  readonly list: boolean
  /** An absolute path. Undefined: no file is written. */
  readonly json: string | undefined
  readonly seed: number | undefined
}

/** Something is wrong with how the program was called; the message is one line. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** Null if help was asked for; it has been printed. */
export function parseOptions(argv: readonly string[], startedIn: string): Options | null {
  const command = new Command('conformance')
    .description(
      'Runs the conformance suite on the transports, and prints what came of each row: pass, FAIL, skip (with the capability that is missing), or missing (a row without a case).',
    )
    .option('-t, --transports <names>', `only these, separated by commas: ${transportNames.join(', ')}`, chosen)
    .option(
      '-l, --list',
      'run nothing: print how many cases a row has, and which are skipped by declared capabilities',
      false,
    )
    .option('-s, --seed <number>', 'repeat the random choices of an earlier run', whole('a seed'))
    .option('--json <file>', 'write the table, and the cases of each row, to this file')
    .addHelpText('after', helpTail)
  if (!parsed(command, argv)) return null
  const { transports = transportNames, list, json, seed } = command.opts()
  return { transports, list, json: json && resolve(startedIn, json), seed }
}

/** Lets the command parse. Gives false if help was asked for; it has been printed. Throws a UsageError of one line. */
export function parsed(command: Command, argv: readonly string[]): boolean {
  command
    .helpOption('-h, --help', 'show this help')
    .configureHelp({ helpWidth: process.stdout.columns ?? 100 })
    .configureOutput({ outputError: () => {} })
    .allowExcessArguments(false)
    .exitOverride()
  try {
    command.parse(argv, { from: 'user' })
    return true
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return false
    throw new UsageError(
      error.message
        .replace('error: ', '')
        .replace(/\n\(Did (.*)\)$/, ', did $1')
        .replaceAll('\n', ' '),
    )
  }
}

const helpTail = `
Without --list the figures are those of cases that have just run: "pass 3" means three cases ran and passed.
With --list nothing has run: "3 cases" means that there are three, not that they pass.
A row of a part that the packages do not have yet (Pool, Lock, ...) shows as "no Pool", and does not count.

Exit code: 0; 1 if a row fails or a MUST or SHOULD row has no case; 2 if called wrongly.
`

export function chosen(text: string): readonly string[] {
  const wanted = text
    .split(',')
    .map(name => name.trim().toLowerCase())
    .filter(Boolean)
  if (wanted.length === 0) throw new UsageError(`name at least one of ${transportNames.join(', ')}`)
  for (const name of wanted) {
    if (transportNames.includes(name)) continue
    const near = closest(name, [...transportNames])
    throw new UsageError(`no transport '${name}', did you mean '${near}'? (valid: ${transportNames.join(', ')})`)
  }
  return transportNames.filter(name => wanted.includes(name))
}

/** Reads a whole number, `least` or more. */
export function whole(what: string, least = 1): (text: string) => number {
  return text => {
    const number = Number(text)
    if (Number.isInteger(number) && number >= least) return number
    throw new UsageError(`${what} is a whole number above ${least - 1}`)
  }
}
