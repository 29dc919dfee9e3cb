import type { BoundContext } from '@mp/core'
import type { Transport } from '@mp/core/spi'

/** What every transport package exports. */
export interface TransportPackage extends BoundContext {
  readonly transport: Transport
}

/** The one place to add a transport (and a dependency in package.json). */
const packages: Readonly<Record<string, string>> = {
  memory: '@mp/memory',
  'worker-threads': '@mp/worker-threads',
  'child-process': '@mp/child-process',
}

export const transportNames: readonly string[] = Object.keys(packages)

/** `module`: the URL of its entry, which children import. */
export async function loadTransport(name: string): Promise<{ context: TransportPackage; module: string }> {
  const specifier = packages[name]
  if (!specifier) throw new Error(`there is no transport '${name}'`)
  return { context: await import(specifier), module: import.meta.resolve(specifier) }
}
