import { serve, type Transport } from '@mp/core/spi'
import { flushWires } from './exit-flush.js'
import type { PipeWire } from './wire.js'

/** The exit code that shells give a program which SIGINT ended. */
const INTERRUPTED = 130

/** What a boot module does, once it has the wire to its parent. */
export async function runChild(transport: Transport, wire: PipeWire): Promise<never> {
  // Ctrl-C reaches every process of the terminal. The parent decides what it means; if it ends the parent, this child ends too.
  process.on('SIGINT', () => void wire.ended.then(() => process.exit(INTERRUPTED)))
  const code = await serve(transport, wire)
  await flushWires()
  // A stray timer or socket must not hold this process.
  process.exit(code === 0 ? undefined : code)
}
