import type { BoundContext } from '@mp/core'
import type { Transport } from '@mp/core/spi'
import { type Group, lacking } from './case.js'
import { death } from './cases/death.js'
import { exitStatus } from './cases/exit-status.js'
import { handles } from './cases/handles.js'
import { joinLiveness } from './cases/join-liveness.js'
import { pipe } from './cases/pipe.js'
import { processConstruction } from './cases/process-construction.js'
import { queueBasics } from './cases/queue-basics.js'
import { queueBounds } from './cases/queue-bounds.js'
import { queueCloseExit } from './cases/queue-close-exit.js'
import { queueHomes } from './cases/queue-homes.js'
import { queueItems } from './cases/queue-items.js'
import { shutdown } from './cases/shutdown.js'
import { start } from './cases/start.js'
import { sync } from './cases/sync.js'
import { terminateClose } from './cases/terminate-close.js'
import { values } from './cases/values.js'
import { Baseline, runCase, Trial } from './harness.js'

/** The parts of a test runner that the suite uses; vitest's and node:test's fit as they are. */
export interface TestRunner {
  describe(name: string, body: () => void): unknown
  readonly test: {
    (name: string, body: () => Promise<void>): unknown
    skip(name: string, body: () => Promise<void>): unknown
  }
}

export interface ConformanceOptions extends TestRunner {
  readonly transport: Transport
  /** What the transport's package exports: Process, Queue, Pipe and so on, bound to it. */
  readonly context: BoundContext
  /** What a child imports to have the same: the URL of the package's built entry. */
  readonly module: URL | string
}

const groups: readonly Group[] = [
  processConstruction,
  start,
  exitStatus,
  joinLiveness,
  terminateClose,
  queueBasics,
  queueBounds,
  queueItems,
  queueCloseExit,
  queueHomes,
  shutdown,
  values,
  pipe,
  handles,
  death,
  sync,
]

/** Declares the cases that every transport passes. What the transport's capabilities rule out shows as skipped, with the reason. */
export function conformance({ transport, context, module, describe, test }: ConformanceOptions): void {
  describe(`conformance of ${transport.name}`, () => {
    const baseline = new Baseline()
    test('what keeps the program alive without the suite', () => baseline.measure())
    for (const { title, cases } of groups) {
      describe(title, () => {
        for (const [name, each] of cases) {
          const missing = lacking(each, transport)
          const run = () => runCase(new Trial(context, transport.capabilities, String(module)), name, each.body)
          if (missing) test.skip(`${name} (skip: needs ${missing})`, run)
          else test(name, run)
        }
        test('nothing that keeps the program alive is left', () => baseline.assertBack())
      })
    }
  })
}
