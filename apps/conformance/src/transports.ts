import type { BoundContext } from '@mp/core'
import type { Transport } from '@mp/core/spi'

/** What every transport package exports. */
export interface TransportPackage extends BoundContext {
  readonly transport: Transport
}

interface Entry {
  load(): Promise<TransportPackage>
  /** The URL of the package's entry, which children import. */
  readonly module: string
}

/** The one place to add a transport (and a dependency in package.json). */
const transports: Readonly<Record<string, Entry>> = {
  memory: { load: () => import('@mp/memory'), module: import.meta.resolve('@mp/memory') },
  'worker-threads': { load: () => import('@mp/worker-threads'), module: import.meta.resolve('@mp/worker-threads') },
  'child-process': { load: () => import('@mp/child-process'), module: import.meta.resolve('@mp/child-process') },
  'unix-socket': { load: () => import('@mp/unix-socket'), module: import.meta.resolve('@mp/unix-socket') },
  'shared-array-buffer': {
    load: () => import('@mp/shared-array-buffer'),
    module: import.meta.resolve('@mp/shared-array-buffer'),
  },
}

export const transportNames: readonly string[] = Object.keys(transports)

export async function loadTransport(name: string): Promise<{ context: TransportPackage; module: string }> {
  const entry = transports[name]
  if (!entry) throw new Error(`there is no transport '${name}'`)
  return { context: await entry.load(), module: entry.module }
}
