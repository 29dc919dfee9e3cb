import type { BoundContext } from '@mp/core'
import type { Transport } from '@mp/core/spi'
import type * as sharedArrayBuffer from '@mp/shared-array-buffer'
import type { Baseline } from './baselines/baseline.js'
import { childProcess } from './baselines/child-process.js'
import { messageChannel } from './baselines/message-channel.js'
import { unixSocket } from './baselines/unix-socket.js'
import { workerThreads } from './baselines/worker-threads.js'

/** The names that every transport package exports, as far as the benchmarks need them. */
export type TransportModule = Pick<BoundContext, 'Process' | 'Queue' | 'JoinableQueue' | 'Pipe' | 'Pool' | 'Lock'> & {
  readonly transport: Transport
}

/** The module of a transport whose calls can block. */
export type BlockingModule = Omit<TransportModule, 'Pipe'> & Pick<typeof sharedArrayBuffer, 'Pipe' | 'configure'>

export interface TransportEntry {
  readonly name: string
  readonly load: () => Promise<TransportModule>
  /** The raw Node medium that this transport is measured against. */
  readonly baseline: Baseline
}

/** The one place to add a transport (and a dependency in package.json). */
export const transports: readonly TransportEntry[] = [
  { name: 'memory', load: () => import('@mp/memory'), baseline: messageChannel },
  { name: 'worker-threads', load: () => import('@mp/worker-threads'), baseline: workerThreads },
  { name: 'shared-array-buffer', load: () => import('@mp/shared-array-buffer'), baseline: workerThreads },
  { name: 'child-process', load: () => import('@mp/child-process'), baseline: childProcess },
  { name: 'unix-socket', load: () => import('@mp/unix-socket'), baseline: unixSocket },
]

export interface LoadedTransport {
  readonly name: string
  readonly module: TransportModule
  /** The same module, if its calls can block. */
  readonly blocking: BlockingModule | undefined
  readonly baseline: Baseline
}

/** Loads the transports that are installed. Others are left out, with a note. */
export async function loadTransports(
  names: readonly string[],
  note: (text: string) => void,
): Promise<LoadedTransport[]> {
  const loaded: LoadedTransport[] = []
  for (const { name, load, baseline } of transports) {
    if (!names.includes(name)) continue
    try {
      const module = await load()
      loaded.push({ name, module, blocking: 'configure' in module ? (module as BlockingModule) : undefined, baseline })
    } catch (error) {
      note(`${name} is left out: ${error instanceof Error ? error.message.split('\n')[0] : error}`)
    }
  }
  return loaded
}
