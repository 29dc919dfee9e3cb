import type { Transport } from '../transport/transport.js'
import { loadTarget } from './load-target.js'
import { importGuarded } from './start-guard.js'
import type { Target, TargetReference } from './target.js'

export type AnyFunction = (...args: unknown[]) => unknown

/** A target of a child in the same thread, which does not import the module: the module may still be running. */
interface LocalTarget {
  readonly local: number
}

/** How a context tells another one which function to call. */
export type FunctionReference = TargetReference | LocalTarget

const handedOver = new Map<number, AnyFunction>()
let nextNumber = 1

/** Refers to the function itself where the other context is in this thread; such a reference is used once. Otherwise `described`. */
export function referenceFor(
  target: Target<never[]>,
  described: TargetReference,
  { capabilities }: Transport,
): FunctionReference {
  if (capabilities.isolation !== 'none' || typeof target !== 'function') return described
  handedOver.set(nextNumber, target as AnyFunction)
  return { local: nextNumber++ }
}

function takeLocal({ local }: LocalTarget): AnyFunction {
  const target = handedOver.get(local) as AnyFunction
  handedOver.delete(local)
  return target
}

/**
 * The function of a reference. Rejects with MP_BAD_TARGET where its module starts a process while it is imported, and with what
 * {@link loadTarget} rejects with.
 */
export async function loadFunction(reference: FunctionReference): Promise<AnyFunction> {
  if ('local' in reference) return takeLocal(reference)
  return importGuarded(reference.module, () => loadTarget(reference))
}
