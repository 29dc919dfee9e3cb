import type { BoundContext } from '@mp/core'

/** What a transport's package exports, in a child that is told which module that is. */
export function loadContext<C extends BoundContext = BoundContext>(module: string): Promise<C> {
  return import(/* @vite-ignore */ module) as Promise<C>
}
