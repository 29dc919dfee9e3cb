import { resolve } from 'node:path'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { closest, distance } from 'fastest-levenshtein'
import { patterns } from './patterns/index.js'
import { type PayloadName, payloads } from './payloads.js'
import { transports } from './transports.js'

export interface Options {
  readonly transports: readonly string[]
  readonly patterns: readonly string[]
  readonly payloads: readonly PayloadName[]
  readonly quick: boolean
  /** Absolute paths. */
  readonly json: string
  readonly html: string
}

/** Something is wrong with how the program was called; the message is one line. */
export class UsageError extends Error {
  override name = 'UsageError'
}

const quickPayloads: readonly PayloadName[] = ['small', '64KiB']

/** Null: help was asked for and is printed. */
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
      `only these: ${patternNames.join(', ')}; 'throughput' means both`,
      chosen('pattern', patternNames),
    )
    .option('-s, --payloads <names>', `only these: ${payloadNames.join(', ')}`, chosen('payload', payloadNames))
    .option(
      '-q, --quick',
      `fewer and shorter rounds, and only the payloads ${quickPayloads.join(' and ')} unless others are given`,
      false,
    )
    .option('--json <file>', 'where the JSON goes', 'bench-results.json')
    .option('--html <file>', 'where the HTML report goes', 'bench-report.html')
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', helpTail)
    .configureHelp({ helpWidth: process.stdout.columns ?? 100 })
    .configureOutput({ outputError: () => {} })
    .exitOverride()
  try {
    command.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return null
    const flags = command.options.map(({ long }) => long).join(', ')
    const text = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ')
    throw new UsageError(error.code === 'commander.invalidArgument' ? text : `${text} (flags: ${flags}, --help)`)
  }
  const given = command.opts()
  return {
    transports: given.transports ?? transportNames,
    patterns: given.patterns ?? patternNames,
    payloads: given.payloads ?? (given.quick ? quickPayloads : payloadNames),
    quick: given.quick,
    json: resolve(startedIn, given.json),
    html: resolve(startedIn, given.html),
  }
}

const helpTail = `
Examples:
  bench --quick
  bench --transports worker-threads --patterns throughput,ping-pong --payloads small
  bench --json results/today.json --html results/today.html

Each figure is measured in rounds that alternate with the same work in raw Node, and every message is checked.
`

/** Parses 'a,b'. A name also stands for all names that begin with it and a dash. Order and case do not matter. */
function chosen(kind: string, names: readonly string[]): (text: string) => readonly string[] {
  return text => {
    const wanted = text.split(',').map(plain).filter(Boolean)
    if (wanted.length === 0) throw new InvalidArgumentError(`Name at least one ${kind}: ${names.join(', ')}.`)
    const selected = new Set(wanted.flatMap(want => matching(kind, names, want)))
    return names.filter(name => selected.has(name))
  }
}

function matching(kind: string, names: readonly string[], want: string): readonly string[] {
  const exact = names.filter(name => plain(name) === want)
  const found = exact.length > 0 ? exact : names.filter(name => plain(name).startsWith(`${want}-`))
  if (found.length > 0) return found
  const near = closest(want, names.map(plain))
  const hint = distance(want, near) <= Math.max(2, want.length / 3) ? `, did you mean '${near}'?` : '.'
  throw new InvalidArgumentError(`There is no ${kind} '${want}'${hint} Valid: ${names.join(', ')}.`)
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(' ', '')
}
