import { killConsumers } from './faults/kill-consumers.js'
import { killLessees } from './faults/kill-lessees.js'
import { killProducers } from './faults/kill-producers.js'
import { outOfDescriptors } from './faults/out-of-descriptors.js'
import { stopConsumer } from './faults/stop-consumer.js'
import { GARBAGE, writeGarbage } from './faults/write-garbage.js'
import { patiently } from './patience.js'
import type { ConformanceOptions } from './suite.js'

const KILLS = 200
/** Kills of consumers that hold items ahead of their calls. The environment may ask for more. */
const lesseeKills = () => Number(process.env.MP_CONFORMANCE_KILLS ?? 40)
/** ms that one test may take on a loaded machine; on two free cores the longest takes 35 s. */
const LONGEST = patiently(180_000)

export interface FaultsOptions extends ConformanceOptions {
  /**
   * The descriptor on which a child has the wire to its parent; a test writes garbage to it. On this wire a frame must begin with
   * a u32 length.
   */
  readonly wireDescriptor?: number
}

/**
 * Many faults: kills at random moments of a flow, a consumer that stands still, and descriptors that run out; for transports whose
 * peers are threads, only the first of these. Each test prints how many of its faults hit what they were meant for, and fails if
 * none did. Takes about a minute on two cores.
 */
export function faults({ transport, context, module, describe, test, wireDescriptor }: FaultsOptions): void {
  const { isolation } = transport.capabilities
  if (isolation === 'none') {
    throw new TypeError(`the children of ${transport.name} cannot be killed: there are no faults to try`)
  }
  const fault = (name: string, body: () => Promise<void>) => test(name, { timeout: LONGEST, skip: false }, body)
  describe(`faults of ${transport.name}`, () => {
    fault('consumers that hold items ahead of their calls are killed', () => killLessees(context, lesseeKills()))
    if (isolation === 'thread') return
    fault(`${KILLS} producers are killed in the middle of a flow`, () => killProducers(context, KILLS))
    fault(`one of three consumers is killed, ${KILLS} times`, () => killConsumers(context, KILLS))
    fault('a consumer that stands still for 3 s costs its producer little memory, and then gets everything', () =>
      stopConsumer(context),
    )
    if (wireDescriptor !== undefined) {
      fault(`${GARBAGE} children write garbage to their wire: they are ended, and nobody else is harmed`, () =>
        writeGarbage(context, wireDescriptor),
      )
    }
    fault('descriptors run out while children start: a clean error each, and nothing is left', () =>
      outOfDescriptors(String(module)),
    )
  })
}
