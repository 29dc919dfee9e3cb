import { readEnvironment } from './environment.js'
import { measure, measureOneByOne } from './measure.js'
import { type Options, UsageError } from './options.js'
import { patterns } from './patterns/index.js'
import type { Pattern } from './patterns/pattern.js'
import { type Payload, payloads } from './payloads.js'
import { createProgress } from './progress.js'
import { measurePythonQueue, type PythonQueue, pythonQueueName } from './reference/python-queue.js'
import { type Result, type Results, resultOf } from './results.js'
import { type LoadedTransport, loadTransports } from './transports.js'

interface Case {
  readonly pattern: Pattern
  readonly payload: Payload | null
  readonly transport: LoadedTransport
}

/** Milliseconds for all cases together; each takes its share, and what one leaves over goes to those that follow. */
const budgets = { full: 48_000, quick: 10_000 }
const maxGenerations = { full: 4, quick: 1 }
const startRounds = { full: { minRounds: 5, maxRounds: 30 }, quick: { minRounds: 3, maxRounds: 10 } }
const batchBytes = 128 * 1024 * 1024
const batchMessages = 500_000

export async function run(options: Options): Promise<Results> {
  const progress = createProgress(process.stderr)
  const notes: string[] = []
  const note = (text: string) => {
    notes.push(text)
    progress.note(text)
  }
  const transports = await loadTransports(options.transports, note)
  if (transports.length === 0) throw new Error('no transport could be loaded')
  const cases = plan(options, transports)
  if (cases.length === 0) throw new UsageError('none of the patterns chosen moves any of the payloads chosen')

  const { quick } = options
  const environment = await readEnvironment({
    quick,
    transports,
    patterns: patterns.filter(pattern => cases.some(each => each.pattern === pattern)),
    payloads: payloads.filter(payload => cases.some(each => each.payload === payload)),
  })
  const withPython = cases.some(isCompared)
  const before = withPython ? 1 : 0
  const begin = (title: string, done: number) => progress.begin(title, done, cases.length + before)
  try {
    if (withPython) begin(`${pythonQueueName}, for comparison`, 0)
    const python = withPython ? await measurePythonQueue(quick ? 0.1 : 0.4, 3, note) : null
    const results = await measureAll(cases, quick, python, (title, done) => begin(title, done + before))
    const rounds = results.map(result => result.rounds)
    return {
      schema: 1,
      environment: {
        ...environment,
        python: python?.version ?? null,
        rounds: { min: Math.min(...rounds), max: Math.max(...rounds) },
      },
      results,
      notes,
    }
  } finally {
    progress.finish()
  }
}

function plan(options: Options, transports: readonly LoadedTransport[]): Case[] {
  return patterns
    .filter(({ name }) => options.patterns.includes(name))
    .flatMap(pattern => {
      const moved = payloads.filter(({ name }) => pattern.payloads.includes(name) && options.payloads.includes(name))
      const columns = pattern.payloads.length === 0 ? [null] : moved
      return transports.flatMap(transport => columns.map(payload => ({ pattern, payload, transport })))
    })
}

async function measureAll(
  cases: readonly Case[],
  quick: boolean,
  python: PythonQueue | null,
  begin: (title: string, done: number) => void,
): Promise<Result[]> {
  const mode = quick ? 'quick' : 'full'
  const end = performance.now() + budgets[mode]
  const results: Result[] = []
  for (const [index, each] of cases.entries()) {
    const { pattern, payload, transport } = each
    const title = [pattern.name, transport.name, ...(payload ? [payload.label] : [])].join(', ')
    begin(title, index)
    const allowance = Math.max(0, end - performance.now()) / (cases.length - index)
    const maxBatch = Math.min(batchMessages, Math.floor(batchBytes / (payload?.bytes ?? 1)))
    const name = payload?.name ?? 'small'
    const subject = pattern.subject(transport, name)
    const raw = transport.baseline.instead?.[name] ?? transport.baseline
    const baseline = pattern.baseline(raw, name)
    try {
      const measured = pattern.onePerRound
        ? await measureOneByOne(subject, baseline, { allowance, ...startRounds[mode] })
        : await measure(subject, baseline, {
            allowance,
            maxBatch,
            minWarmUp: pattern.latency ? 2000 : 0,
            maxGenerations: maxGenerations[mode],
          })
      results.push(resultOf(pattern, transport.name, raw.name, payload, measured, isCompared(each) ? python : null))
    } catch (error) {
      throw new Error(`${title}: ${error instanceof Error ? error.message : error}`, { cause: error })
    }
  }
  return results
}

function isCompared({ pattern, payload }: Case): boolean {
  return pattern.name === 'throughput-queue' && payload?.name === 'small'
}
