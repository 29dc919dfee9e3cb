// So that all that a child loads first is in one file: see tsup.config.ts.
import '../spi.js'
import { registerHandle } from '../context/message-reader.js'
import { Claims } from './shared-progress.js'
import { type Desk, type FunctionReference, openDesk } from './worker-loop.js'

// Only workers open desks: the children of a Process do not load them.
registerHandle('desk', openDesk)

/** The target of a pool's workers. */
export function work(
  desk: Desk,
  claims: SharedArrayBuffer | null,
  initializer: FunctionReference | null,
  initargs: readonly unknown[],
): Promise<void> {
  return desk.serve(claims && new Claims(claims), initializer, initargs)
}
