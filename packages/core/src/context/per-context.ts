import type { Context } from './context.js'

/** Gives a map for each context, of what the caller keeps there by id. The map ends with its context. */
export function perContext<T>(): (context: Context) => Map<string, T> {
  const maps = new WeakMap<Context, Map<string, T>>()
  return context => {
    let map = maps.get(context)
    if (!map) {
      map = new Map()
      maps.set(context, map)
    }
    return map
  }
}
