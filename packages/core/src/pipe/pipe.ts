import type { Context } from '../context/context.js'
import type { HandleOpener } from '../context/message-reader.js'
import { type End, NativeEnd, pair } from '../link/wire-end.js'
import type { Transport } from '../transport/transport.js'
import { unpackAssembly } from './assembly.js'
import type { Side } from './backend.js'
import { Connection } from './connection.js'
import { LinkedPipeBackend, type PackedLinked } from './linked.js'
import { NativePipeBackend, type PackedNative } from './native.js'

export interface PipeOptions {
  /** False: the first end only receives, the second only sends. */
  duplex?: boolean | undefined
}

/** Two connected ends: of a pipe of the medium's own where it has such, else of a wire. */
export function makePipe<S, R>(
  context: Context,
  transport: Transport,
  options: boolean | PipeOptions = true,
): [Connection<S, R>, Connection<R, S>] {
  const duplex = typeof options === 'object' && options !== null ? (options.duplex ?? true) : options
  if (typeof duplex !== 'boolean') throw new TypeError(`duplex must be a boolean, not ${typeof duplex}`)
  const native = transport.engines?.pipe?.pair()
  const Backend = native ? NativePipeBackend : LinkedPipeBackend
  const [a, b] = native ? [new NativeEnd(native[0]), new NativeEnd(native[1])] : pair(transport)
  const first: Side = { first: true, readable: true, writable: duplex }
  const second: Side = { first: false, readable: duplex, writable: true }
  return [
    new Connection<S, R>(transport, first, new Backend(context, transport, first, a)),
    new Connection<R, S>(transport, second, new Backend(context, transport, second, b)),
  ]
}

/** The Connection over the end of a wire to another program. */
export function linkedConnection(context: Context, transport: Transport, side: Side, end: End): Connection {
  const backend = new LinkedPipeBackend(context, transport, side, end)
  backend.listen()
  return new Connection(transport, side, backend)
}

/** Makes an end that arrived in a message usable in `context`. */
export const openConnection: HandleOpener = (context, transport, state, endOf) => {
  const packed: PackedLinked = state
  const side = sideOf(packed)
  const backlog = packed.backlog === null ? undefined : endOf(packed.backlog)
  return new Connection(transport, side, new LinkedPipeBackend(context, transport, side, endOf(packed.end), backlog))
}

/** The same for the end of a native pipe. */
export const openNativeConnection: HandleOpener = (context, transport, state, endOf, objectOf) => {
  const packed: PackedNative = state
  const side = sideOf(packed)
  const assembly = packed.partial ? unpackAssembly(packed.partial, endOf, objectOf) : undefined
  return new Connection(transport, side, new NativePipeBackend(context, transport, side, endOf(packed.end), assembly))
}

/** What is packed with it is not kept: a partial message may be large. */
function sideOf({ first, readable, writable }: Side): Side {
  return { first, readable, writable }
}
