import { serve, type Transport } from '@mp/core/spi'
import { flushWires, type PipeWire } from './wire.js'

/** As shells have it for what SIGINT ended. */
const INTERRUPTED = 130

/** What the boot modules have in common. */
export async function runChild(transport: Transport, wire: PipeWire): Promise<never> {
  // Ctrl-C reaches the terminal's whole group. It is for the parent to say what it means; if the parent ends of it, so do we.
  process.on('SIGINT', () => void wire.ended.then(() => process.exit(INTERRUPTED)))
  const code = await serve(transport, wire)
  await flushWires()
  // A stray timer or socket must not hold this process.
  process.exit(code === 0 ? undefined : code)
}
