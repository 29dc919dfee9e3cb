import { sitOn } from '../core.js'

export function square(n: number): number {
  return n * n
}

/** For a worker of a pool: to run on this core only. */
export function sitHere(core: number): void {
  sitOn(core)
}
