import { takeSeat } from '../core.js'

export function square(n: number): number {
  return n * n
}

/** Lets a worker of a pool run only on this core. */
export function sitHere(core: number): void {
  takeSeat(core)
}
