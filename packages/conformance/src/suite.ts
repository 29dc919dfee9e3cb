import type { BoundContext } from '@mp/core'
import type { Transport } from '@mp/core/spi'
import { type Group, lacking } from './case.js'
import { abandon } from './cases/abandon.js'
import { barrier } from './cases/barrier.js'
import { blockingCalls } from './cases/blocking.js'
import { capabilities } from './cases/capabilities.js'
import { collection } from './cases/collection.js'
import { condition } from './cases/condition.js'
import { contexts } from './cases/contexts.js'
import { death } from './cases/death.js'
import { event } from './cases/event.js'
import { eventLoop } from './cases/event-loop.js'
import { exitStatus } from './cases/exit-status.js'
import { firstSend } from './cases/first-send.js'
import { handles } from './cases/handles.js'
import { holderDeath } from './cases/holder-death.js'
import { joinLiveness } from './cases/join-liveness.js'
import { joinableQueue } from './cases/joinable-queue.js'
import { lastOutput } from './cases/last-output.js'
import { liveValues } from './cases/live-values.js'
import { lock } from './cases/lock.js'
import { network } from './cases/network.js'
import { pipe } from './cases/pipe.js'
import { poolBystanders } from './cases/pool-bystanders.js'
import { poolErrors } from './cases/pool-errors.js'
import { poolExecutor } from './cases/pool-executor.js'
import { poolFaults } from './cases/pool-faults.js'
import { poolLifecycle } from './cases/pool-lifecycle.js'
import { poolOrder } from './cases/pool-order.js'
import { poolShape } from './cases/pool-shape.js'
import { processConstruction } from './cases/process-construction.js'
import { queueBasics } from './cases/queue-basics.js'
import { queueBounds } from './cases/queue-bounds.js'
import { queueCloseExit } from './cases/queue-close-exit.js'
import { queueConsumers } from './cases/queue-consumers.js'
import { queueHomes } from './cases/queue-homes.js'
import { queueItems } from './cases/queue-items.js'
import { rlock } from './cases/rlock.js'
import { semaphore } from './cases/semaphore.js'
import { sharedValues } from './cases/shared-values.js'
import { shutdown } from './cases/shutdown.js'
import { start } from './cases/start.js'
import { blockingLocks } from './cases/sync.js'
import { terminateClose } from './cases/terminate-close.js'
import { underWay } from './cases/under-way.js'
import { unguarded } from './cases/unguarded.js'
import { values } from './cases/values.js'
import { wait } from './cases/wait.js'
import { wire } from './cases/wire.js'
import { within } from './harness.js'
import { Baseline } from './leaks.js'
import { patiently } from './patience.js'
import { idsOf } from './rows/row.js'
import { runCase } from './run-case.js'
import { nothing } from './targets.js'
import { type Setting, Trial } from './trial.js'

/** The parts of a test runner that the suite uses. Those of vitest and node:test fit as they are. */
export interface TestRunner {
  describe(name: string, body: () => void): unknown
  test(name: string, options: { timeout: number; skip: boolean }, body: () => Promise<void>): unknown
}

export interface ConformanceOptions extends TestRunner {
  readonly transport: Transport
  /** What the transport's package exports: Process, Queue, Pipe and so on, bound to it. */
  readonly context: BoundContext
  /** What a child imports to have the same API: the URL of the package's built entry. */
  readonly module: URL | string
  /** The heading of the tests. By default the transport's name. */
  readonly name?: string
}

const groups: readonly Group[] = [
  capabilities,
  wire,
  contexts,
  processConstruction,
  start,
  unguarded,
  exitStatus,
  lastOutput,
  joinLiveness,
  terminateClose,
  eventLoop,
  queueBasics,
  queueBounds,
  queueItems,
  queueCloseExit,
  queueConsumers,
  queueHomes,
  shutdown,
  joinableQueue,
  values,
  liveValues,
  pipe,
  firstSend,
  handles,
  death,
  underWay,
  collection,
  blockingCalls,
  blockingLocks,
  wait,
  lock,
  rlock,
  semaphore,
  event,
  condition,
  barrier,
  sharedValues,
  holderDeath,
  abandon,
  poolShape,
  poolOrder,
  poolErrors,
  poolFaults,
  poolBystanders,
  poolLifecycle,
  poolExecutor,
  network,
]

/** ms. Every wait in a case has a lower limit: this one is for what blocks the thread. */
const TIMEOUT = patiently(25_000)

/** Declares the cases that every transport passes. A case that the transport's capabilities rule out is skipped, with the reason. */
export function conformance({ transport, context, module, name, describe, test }: ConformanceOptions): void {
  const setting: Setting = { transport, context, module: String(module), seed: seed() }
  const check = (title: string, body: () => Promise<void>) => test(title, { timeout: TIMEOUT, skip: false }, body)
  describe(`conformance of ${name ?? transport.name}`, () => {
    const baseline = new Baseline(() => warmUp(context))
    check('what the program holds without the suite', () => baseline.measured())
    for (const { title, cases } of groups) {
      describe(title, () => {
        for (const [caseName, each] of cases) {
          const missing = lacking(each, transport)
          const title = missing ? `${caseName} (skip: needs ${missing})` : caseName
          const body = async () => {
            await baseline.measured()
            await runCase(new Trial(setting), caseName, each.body)
          }
          test(title, { timeout: TIMEOUT, skip: missing !== undefined }, body)
        }
        check('nothing is left', () => baseline.assertBack())
      })
    }
    check('what the suite itself used is given back', async () => baseline.end())
  })
}

/** A case, and what becomes of it on a transport. */
export interface PlannedCase {
  readonly group: string
  readonly name: string
  /** The IDs of the rows that it is about. */
  readonly rows: readonly string[]
  /** Why it is skipped; undefined if it runs. */
  readonly skipped: string | undefined
}

/** The cases that {@link conformance} would declare for the transport. Runs nothing. */
export function plan(transport: Transport): readonly PlannedCase[] {
  return groups.flatMap(({ title, cases }) =>
    [...cases].map(([name, each]) => ({
      group: title,
      name,
      rows: idsOf(name),
      skipped: lacking(each, transport),
    })),
  )
}

/** The seed of the environment, or a new one. */
function seed(): number {
  const given = Number(process.env.MP_CONFORMANCE_SEED)
  return Number.isInteger(given) && given > 0 ? given : 1 + Math.floor(Math.random() * 2 ** 31)
}

/** If this fails, the cases will tell. */
async function warmUp({ Process }: BoundContext): Promise<void> {
  await within(Process.run(nothing), 'the first process').catch(() => {})
}
