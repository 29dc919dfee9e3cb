import type { BoundContext } from '@mp/core'

/** What a transport's package exports. For children, which are told the URL of its module. */
export function loadContext<C extends BoundContext = BoundContext>(module: string): Promise<C> {
  return import(/* @vite-ignore */ module) as Promise<C>
}
