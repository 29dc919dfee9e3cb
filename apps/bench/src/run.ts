import { readEnvironment } from './environment.js'
import { dismissHands } from './hands.js'
import { measure, measureOneByOne } from './measure.js'
import { type Options, UsageError } from './options.js'
import { patterns, shapes } from './patterns/index.js'
import type { Pattern, PythonWork } from './patterns/pattern.js'
import { queueFlow } from './patterns/queue-flow.js'
import { type Payload, payloads } from './payloads.js'
import { createProgress } from './progress.js'
import { measurePython, type PythonReference } from './reference/python.js'
import { type Result, type Results, resultOf } from './results.js'
import { type LoadedTransport, loadTransports, type TransportModule } from './transports.js'

interface Case {
  readonly pattern: Pattern
  readonly payload: Payload | null
  readonly transport: LoadedTransport
}

const modes = {
  full: {
    /** Milliseconds for Python, all cases and the starts of their children. What one case leaves goes to those that follow. */
    budget: 43_000,
    rounds: {
      maxGenerations: 4,
      roundsPerGeneration: 4,
      shortest: { warmUp: 60, round: 15 },
      warm: 0.5,
      collects: true,
    },
    oneByOne: { minRounds: 3, maxRounds: 30 },
  },
  quick: {
    budget: 9_000,
    rounds: {
      maxGenerations: 1,
      roundsPerGeneration: 3,
      shortest: { warmUp: 20, round: 10 },
      warm: 1,
      collects: false,
    },
    oneByOne: { minRounds: 3, maxRounds: 10 },
  },
}

/**
 * Shares of the time. Small messages are what a program mostly sends. Code is slow until V8 has compiled it: a child process needs
 * half a second for that, during which a round trip takes 60 us instead of 15. A round of large messages must have more than a
 * dozen. Rivals run within the time of their case.
 */
const shares = { smallest: 6, large: 2, rivals: 3, shape: 2, other: 1 }
/** Milliseconds that the starts and ends of a case's children take. In no share: otherwise no time would remain for the last cases. */
const starts = { process: 300, thread: 80, none: 0 }
/** What each child of a case but the first adds to that. They start at the same time, and have no baseline. */
const furtherChild = 0.3
/** What remains of it where the children live already. */
const hired = 0.3
/** How a crowd is warmed up: with several sessions, so that a child has one role and then another, and ms for each of them. */
const drill = { sessions: 3, time: 200, batch: 4000 }
/** The least ms of a round of a crowd. To wake its children takes several. */
const crowdRound = 60
const largeFrom = 1024 * 1024
/**
 * Bytes from which on garbage is collected. With smaller messages a collection would discard shapes that compiled code relies on,
 * and a flow would lose half of its pace.
 */
const collectedFrom = 64 * 1024
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
  const end = performance.now() + modes[quick ? 'quick' : 'full'].budget
  const works = [...new Set(cases.map(pythonBeside).filter(work => work !== null))]
  const begin = (title: string, done: number) => progress.begin(title, done, cases.length + works.length)
  try {
    const python = new Map<PythonWork, PythonReference | null>()
    // Measured right before the first case that is compared with it: a minute later the machine may be slower or faster.
    const inPython = async (work: PythonWork, done: number): Promise<PythonReference | null> => {
      const known = python.get(work)
      if (known !== undefined || [...python.values()].includes(null)) return known ?? null
      begin(`${work.name}, for comparison`, done + python.size)
      const reference = await measurePython(work, quick, note)
      python.set(work, reference)
      return reference
    }
    const results = await measureAll(cases, quick, end, inPython, (title, done) => begin(title, done + python.size))
    const rounds = results.map(result => result.rounds)
    return {
      schema: 1,
      environment: {
        ...environment,
        python: [...python.values()].find(each => each !== null)?.version ?? null,
        rounds: { min: Math.min(...rounds), max: Math.max(...rounds) },
      },
      results,
      notes,
    }
  } finally {
    progress.finish()
    await dismissHands()
  }
}

/**
 * Has as many children as a crowd needs work before the first of them is measured. V8 compiles what each of them runs, which takes
 * longer than all rounds of one case.
 */
async function warmUp(transport: LoadedTransport, crowd: number): Promise<void> {
  const half = Math.ceil(crowd / 2)
  for (let i = 0; i < drill.sessions; i++) {
    const session = await queueFlow(transport, { producers: half, consumers: half })()
    const end = performance.now() + drill.time
    while (performance.now() < end) await session.run(drill.batch)
    await session.close()
  }
}

function drillTimeOf({ module }: LoadedTransport, crowd: number): number {
  return drill.sessions * drill.time + startsOfChildren(module, crowd)
}

/** How many children a case hires, if these are several. */
function crowdOf({ pattern: { hires, children = 0 } }: Case): number {
  return hires ? children : 0
}

function plan(options: Options, transports: readonly LoadedTransport[]): Case[] {
  return patterns
    .filter(({ name }) => options.patterns.includes(name))
    .flatMap(pattern => {
      const wanted = options.payloads ?? pattern.usualPayloads ?? pattern.payloads
      const moved = payloads.filter(({ name }) => pattern.payloads.includes(name) && wanted.includes(name))
      const columns = pattern.payloads.length === 0 ? [null] : moved
      const able = transports.filter(transport => pattern.needs?.(transport) ?? true)
      return able.flatMap(transport => columns.map(payload => ({ pattern, payload, transport })))
    })
}

async function measureAll(
  cases: readonly Case[],
  quick: boolean,
  end: number,
  inPython: (work: PythonWork, done: number) => Promise<PythonReference | null>,
  begin: (title: string, done: number) => void,
): Promise<Result[]> {
  const { rounds, oneByOne } = modes[quick ? 'quick' : 'full']
  const results: Result[] = []
  const drilled = new Set<LoadedTransport>()
  const largestCrowd = Math.max(...cases.map(crowdOf))
  const isDrilled = ({ pattern }: Case) => largestCrowd > 0 && pattern.hires === true
  for (const [index, each] of cases.entries()) {
    const { pattern, payload, transport } = each
    const work = pythonBeside(each)
    const python = work && (await inPython(work, index))
    const title = [pattern.name, transport.name, ...(payload ? [payload.label] : [])].join(', ')
    begin(title, index)
    if (isDrilled(each) && !drilled.has(transport)) {
      drilled.add(transport)
      await warmUp(transport, largestCrowd)
    }
    const following = cases.slice(index)
    const shared = sumOf(following.map(later => shareOf(later, quick)))
    const cold = following.filter(later => isDrilled(later) && !drilled.has(later.transport))
    const drills = [...new Set(cold.map(later => later.transport))]
    const fixed = sumOf(following.map(startsOf)) + sumOf(drills.map(each => drillTimeOf(each, largestCrowd)))
    const share = (Math.max(0, end - performance.now() - fixed) * shareOf(each, quick)) / shared
    const allowance = Math.min(share, pattern.allowance ?? share)
    const maxBatch = Math.min(pattern.maxBatch ?? batchMessages, Math.floor(batchBytes / (payload?.bytes ?? 1)))
    const name = payload?.name ?? 'small'
    const subject = pattern.subject(transport, name)
    const raw = transport.baseline.instead?.[name] ?? transport.baseline
    const baseline = pattern.baseline(raw, name)
    const rivals = rivalsOf(each, quick)
    try {
      const measured = pattern.onePerRound
        ? await measureOneByOne(subject, baseline, { allowance, ...oneByOne })
        : await measure(
            subject,
            baseline,
            rivals.map(({ open }) => open),
            {
              allowance,
              maxBatch,
              minWarmUp: pattern.latency ? 2000 : 0,
              ...rounds,
              ...(crowdOf(each) > 0 && { shortest: { ...rounds.shortest, round: crowdRound } }),
              collects: rounds.collects && (payload?.bytes ?? 0) >= collectedFrom,
            },
          )
      const names = rivals.map(rival => rival.name)
      results.push(resultOf(pattern, transport.name, raw.name, payload, measured, names, python))
    } catch (error) {
      throw new Error(`${title}: ${error instanceof Error ? error.message : error}`, { cause: error })
    }
  }
  return results
}

function shareOf(each: Case, quick: boolean): number {
  const { pattern, payload } = each
  if (rivalsOf(each, quick).length > 0) return shares.rivals
  if (shapes.includes(pattern)) return shares.shape
  if (payload && payload.name === pattern.payloads[0]) return shares.smallest
  return (payload?.bytes ?? 0) >= largeFrom ? shares.large : shares.other
}

function startsOf({ pattern: { children = 1, hires }, transport: { module } }: Case): number {
  return hires ? hired * startsOfChildren(module, 1) : startsOfChildren(module, children)
}

function startsOfChildren({ transport }: TransportModule, children: number): number {
  return starts[transport.capabilities.isolation] * (1 + (children - 1) * furtherChild)
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0)
}

/** A quick run measures them with one transport only. */
function rivalsOf({ pattern, payload, transport }: Case, quick: boolean) {
  if (quick && transport.name !== 'worker-threads') return []
  return pattern.rivals?.(transport, payload?.name ?? 'small') ?? []
}

function pythonBeside({ pattern, payload }: Case): PythonWork | null {
  return payload === null || payload.name === 'small' ? (pattern.python ?? null) : null
}
