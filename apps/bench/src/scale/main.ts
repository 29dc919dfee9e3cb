import Table from 'cli-table3'
import { Command } from 'commander'
import { killChildren } from '../children.js'
import { chosen, parse, UsageError } from '../options.js'
import { atEnd } from '../signals.js'
import { type LoadedTransport, loadTransports, transports } from '../transports.js'
import { queueCost, workerCost } from './crowds.js'
import { COUNT, handleCosts } from './handles.js'
import { pipeScale } from './pipes.js'

const note = (text: string) => void process.stderr.write(`${text}\n`)

atEnd(killChildren)

try {
  const options = readOptions(process.argv.slice(2))
  if (options) {
    const columns: Column[] = []
    for (const loaded of await loadTransports(options.names, note))
      columns.push(await measure(loaded, options.settling))
    print(columns)
  }
} catch (error) {
  note(`error: ${error instanceof Error ? error.message : error}`)
  process.exit(error instanceof UsageError ? 2 : 1)
}

interface Options {
  readonly names: readonly string[]
  /** Milliseconds. */
  readonly settling: number
}

/** Null if help was asked for; it has been printed. */
function readOptions(argv: readonly string[]): Options | null {
  const names = transports.map(({ name }) => name)
  const command = new Command('scale')
    .description('Measures what handles, pipes, workers and queues cost when a program has many of them.')
    .option(
      '-t, --transports <names>',
      `only these, separated by commas: ${names.join(', ')}`,
      chosen('transport', names),
    )
    .option(
      '--settle <seconds>',
      'how long nothing happens before the idle contexts are measured: V8 collects garbage some 10 s after the last work',
      seconds,
      15,
    )
    .helpOption('-h, --help', 'show this help')
  const given = parse(command, argv, ({ message }) => message.replace('error: ', '').split('\n')[0] as string)
  return given && { names: given.transports ?? names, settling: given.settle * 1000 }
}

function seconds(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 3600))
    throw new UsageError(`${text} is no number of seconds up to 3600`)
  return value
}

/** A transport's figures, by what they tell. */
interface Column {
  readonly name: string
  readonly figures: ReadonlyMap<string, string>
}

async function measure({ name, module }: LoadedTransport, settling: number): Promise<Column> {
  note(name)
  const figures = new Map<string, string>()
  const apart = module.transport.capabilities.isolation !== 'none'
  // Without a thread of its own the child's memory is this program's, and was measured here.
  const sides = (bytes: readonly [number, number]) =>
    bytes
      .slice(0, apart ? 2 : 1)
      .map(kilobytes)
      .join(' / ')
  for (const { kind, idle, dropped, descriptors } of await handleCosts(module)) {
    figures.set(`${kind}, idle, KB here / in the child`, sides(idle))
    figures.set(`${kind}, dropped without close(), KB`, sides(dropped))
    figures.set(`${kind}, descriptors left of ${COUNT}`, String(descriptors))
  }
  const pipes = await pipeScale(module)
  figures.set('Pipe: 10 in turn, messages/s', thousands(pipes.few))
  figures.set('Pipe: 1,000 in turn, messages/s', thousands(pipes.many))
  figures.set('Pipe: 1,000 through 10', pipes.ratio.toFixed(2))
  const workers = await workerCost(module, settling)
  figures.set('Pool: workers', String(workers.count))
  figures.set('Pool: seconds until all are there', workers.start.toFixed(1))
  figures.set('Pool: MB a worker', megabytes(workers.bytes && workers.bytes / workers.count))
  figures.set('Pool: % of a core while idle', percent(workers.idle))
  const queues = await queueCost(module, settling)
  figures.set('100 Queues, 10 holders each: seconds to start', queues.start.toFixed(1))
  figures.set('100 Queues: MB, holders included', megabytes(queues.bytes))
  figures.set('100 Queues: % of a core while idle', percent(queues.idle))
  return { name, figures }
}

function print(columns: readonly Column[]): void {
  const table = new Table({ head: ['', ...columns.map(({ name }) => name)], style: { head: [], border: [] } })
  for (const title of columns[0]?.figures.keys() ?? []) {
    table.push([title, ...columns.map(({ figures }) => figures.get(title) ?? '')])
  }
  process.stdout.write(`${table}\n`)
}

function kilobytes(bytes: number): string {
  return (Math.max(0, bytes) / 1024).toFixed(1)
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? '-' : (bytes / 1024 / 1024).toFixed(1)
}

function percent(share: number | undefined): string {
  return share === undefined ? '-' : (100 * share).toFixed(1)
}

function thousands(rate: number): string {
  return `${(rate / 1000).toFixed(0)} k`
}
