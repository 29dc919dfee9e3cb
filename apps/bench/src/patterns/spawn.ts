import { startChild } from '../children.js'
import { CheckError } from '../payloads.js'
import { type Open, timed } from '../session.js'
import { hello } from '../targets/hello.js'
import type { TransportModule } from '../transports.js'
import type { Pattern } from './pattern.js'

export const spawn: Pattern = {
  name: 'spawn',
  title: 'Start of a Process',
  description:
    'From just before new Process(...).start() to what the first, and only, line of the target returns; in raw Node it posts it. ' +
    'The first start of all, which also finds the target’s module, is warm-up.',
  metric: 'time-to-first-line',
  unit: 'ms',
  better: 'lower',
  inFlight: '1',
  payloads: [],
  latency: true,
  onePerRound: true,
  subject: transport => starts(() => timeToFirstLine(transport.module)),
  baseline: ({ hello }) => hello && starts(hello),
}

function starts(start: () => Promise<number>): Open {
  return async () => ({
    async run(count) {
      const latencies = new Float64Array(count)
      for (let done = 0; done < count; done++) latencies[done] = await start()
      return timed(latencies)
    },
    close: async () => {}, // each start has ended its child already
  })
}

async function timeToFirstLine(transport: TransportModule): Promise<number> {
  const greeting = `hello ${Math.random()}`
  const before = performance.now()
  const child = startChild(transport, hello, [greeting])
  const answer = await child.result()
  const latency = performance.now() - before
  if (answer !== greeting) throw new CheckError(`expected '${greeting}' from the new process, got '${answer}'`)
  await child.ended()
  return latency
}
