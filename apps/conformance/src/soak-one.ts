// Soaks one transport, in a program of its own: `soak-one <transport> <seconds> <seed> [scene]`. Sends the report to its parent.

import { runSoak } from '@mp/conformance'
import { loadTransport } from './transports.js'

const [name = '', seconds, seed, scene] = process.argv.slice(2)
const { context, module } = await loadTransport(name)
const report = await runSoak({
  transport: context.transport,
  context,
  module,
  seconds: Number(seconds),
  seed: Number(seed),
  ...(scene !== undefined && { scene: Number(scene) }),
})
process.send?.(report, () => process.exit())
