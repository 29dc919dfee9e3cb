import { MpError } from '../errors.js'
import { within } from '../runtime/within.js'

/** ms that a child waits to hear whether its program goes on. Its parent may compute. */
const LONGEST_DOUBT = 500

/** MP_SPAWN_FAILED: Ctrl-C reaches a child that is starting, too. */
const LOSSES: ReadonlySet<string> = new Set([
  'MP_SHUT_DOWN',
  'MP_EOF',
  'MP_BROKEN_PIPE',
  'MP_WORKER_LOST',
  'MP_SPAWN_FAILED',
])

/** Whether the error, or what led to it, is that another context has ended. */
export function isLoss(error: unknown): boolean {
  for (let each = error, depth = 0; each instanceof Error && depth < 8; each = each.cause, depth++) {
    if (each instanceof MpError && LOSSES.has(each.code)) return true
  }
  return false
}

/**
 * Whether the program has ended without its children: by a signal, or because it was killed. `goesOn`: the answer of the main context,
 * false where one of those between is gone. Nobody needs to hear then that a child has lost what it worked with.
 */
export async function hasProgramEnded(goesOn: Promise<boolean>): Promise<boolean> {
  let ended = false
  await within(
    goesOn.then(found => {
      ended = !found
    }),
    LONGEST_DOUBT,
  )
  return ended
}
