import { resolve } from 'node:path'
import { Command, CommanderError, type OptionValues } from 'commander'
import { closest, distance } from 'fastest-levenshtein'
import { groups, patterns } from './patterns/index.js'
import { type PayloadName, payloads } from './payloads.js'
import { transports } from './transports.js'

export interface Options {
  readonly transports: readonly string[]
  readonly patterns: readonly string[]
  /** Null: the usual ones of each pattern. */
  readonly payloads: readonly PayloadName[] | null
  readonly quick: boolean
  /** Absolute paths. */
  readonly json: string
  readonly html: string
}

/** Something is wrong with how the program was called; the message is one line. */
export class UsageError extends Error {
  override name = 'UsageError'
}

const quickPayloads: readonly PayloadName[] = ['small']
const quickPatterns = patterns.filter(({ leftOut }) => !leftOut).map(({ name }) => name)
const fullPatterns = patterns.filter(({ leftOut }) => leftOut !== 'always').map(({ name }) => name)

/** Null if help was asked for; it has been printed. */
export function parseOptions(argv: readonly string[], startedIn: string): Options | null {
  const transportNames = transports.map(({ name }) => name)
  const patternNames = patterns.map(({ name }) => name)
  const payloadNames = payloads.map(({ name }) => name)
  const command = new Command('bench')
    .description(
      'Measures every @mp transport beside its raw Node baseline, and reports on the terminal, as HTML and as JSON.',
    )
    .option(
      '-t, --transports <names>',
      `only these, separated by commas: ${transportNames.join(', ')}`,
      chosen('transport', transportNames),
    )
    .option(
      '-p, --patterns <names>',
      `only these: ${patternNames.join(', ')}; ${Object.keys(groups)
        .map(name => `'${name}'`)
        .join(', ')} mean all of theirs`,
      chosen('pattern', patternNames, groups),
    )
    .option('-s, --payloads <names>', `only these: ${payloadNames.join(', ')}`, chosen('payload', payloadNames))
    .option(
      '-q, --quick',
      `fewer and shorter rounds, and only the payload ${quickPayloads.join(', ')} unless others are given`,
      false,
    )
    .option('--json <file>', 'where the JSON goes', 'bench-results.json')
    .option('--html <file>', 'where the HTML report goes', 'bench-report.html')
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', helpTail)
    .configureHelp({ helpWidth: process.stdout.columns ?? 100 })
  const flags = [...command.options.map(({ long }) => long), '--help'].join(', ')
  const given = parse(command, argv, error => `${oneLine(error, command.args)} (valid: ${flags})`)
  if (!given) return null
  return {
    transports: given.transports ?? transportNames,
    patterns: given.patterns ?? (given.quick ? quickPatterns : fullPatterns),
    payloads: given.payloads ?? (given.quick ? quickPayloads : null),
    quick: given.quick,
    json: resolve(startedIn, given.json),
    html: resolve(startedIn, given.html),
  }
}

/**
 * The options that were given; null if help was asked for, and has been printed. Throws a UsageError with what `why` says, which is one
 * line.
 */
export function parse(
  command: Command,
  argv: readonly string[],
  why: (error: CommanderError) => string,
): OptionValues | null {
  try {
    return command
      .configureOutput({ outputError: () => {} })
      .exitOverride()
      .parse(argv, { from: 'user' })
      .opts()
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return null
    throw new UsageError(why(error))
  }
}

function oneLine({ code, message }: CommanderError, rest: readonly string[]): string {
  if (code === 'commander.excessArguments') return `unexpected argument '${rest[0]}'`
  return message.replace('error: ', '').replace(/\n\(Did (.*)\)$/, ', did $1')
}

const unusualPayloads = patterns.flatMap(({ name, payloads: all, usualPayloads }) =>
  usualPayloads ? [`${name} with ${all.filter(each => !usualPayloads.includes(each)).join(', ')}`] : [],
)

function namesLeftOut(of: 'quick' | 'always'): string {
  return patterns
    .filter(({ leftOut }) => leftOut === of)
    .map(({ name }) => name)
    .join(', ')
}

const helpTail = `
Left out unless --payloads names them:
  ${unusualPayloads.join('\n  ')}
Left out unless --patterns names them:
  ${namesLeftOut('always')}
Left out of a quick run unless --patterns names them:
  ${namesLeftOut('quick')}

Examples:
  bench --quick
  bench --transports worker-threads --patterns throughput,ping-pong --payloads small
  bench --json today.json --html today.html

Each figure is measured in rounds that alternate with the same work in raw Node, and every message is checked.
`

/** Parses 'a,b'; case and order do not matter. `kind`: what the names are of. `sets`: words that mean several names. */
export function chosen<N extends string>(
  kind: string,
  names: readonly N[],
  sets: Readonly<Record<string, readonly { readonly name: string }[]>> = {},
) {
  return (text: string): readonly N[] => {
    const wanted = text.split(',').map(plain).filter(Boolean)
    if (wanted.length === 0) throw new UsageError(`name at least one ${kind} of ${names.join(', ')}`)
    const selected = new Set<N>()
    const groupOf = (word: string) => (Object.hasOwn(sets, word) ? (sets[word] ?? []) : [])
    for (const want of wanted) {
      const found = names.filter(name => plain(name) === want || groupOf(want).some(each => each.name === name))
      if (found.length === 0)
        throw new UsageError(`no ${kind} '${want}'${hint(want, names)} (valid: ${names.join(', ')})`)
      for (const name of found) selected.add(name)
    }
    return names.filter(name => selected.has(name))
  }
}

function hint(want: string, names: readonly string[]): string {
  const begun = names.find(name => plain(name).startsWith(want))
  const near = begun ?? closest(want, [...names])
  return begun || distance(want, near) <= 2 ? `, did you mean '${near}'?` : ''
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(' ', '')
}
