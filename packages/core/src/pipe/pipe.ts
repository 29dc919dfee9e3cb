import type { Context } from '../context/context.js'
import { NativeEnd, pair } from '../link/wire-end.js'
import type { Transport } from '../transport/transport.js'
import { Connection } from './connection.js'
import { NativeConnection } from './native.js'

export interface PipeOptions {
  /** False: the first end only receives, the second only sends. */
  duplex?: boolean | undefined
}

/** Two connected ends. */
export function makePipe<S, R>(
  context: Context,
  transport: Transport,
  options: boolean | PipeOptions = true,
): [Connection<S, R>, Connection<R, S>] {
  const duplex = typeof options === 'object' && options !== null ? (options.duplex ?? true) : options
  if (typeof duplex !== 'boolean') throw new TypeError(`duplex must be a boolean, not ${typeof duplex}`)
  const native = transport.engines?.pipe?.pair()
  const End = native ? NativeConnection : Connection
  const [a, b] = native ? [new NativeEnd(native[0]), new NativeEnd(native[1])] : pair(transport)
  return [
    new End<S, R>(context, transport, { first: true, readable: true, writable: duplex }, a),
    new End<R, S>(context, transport, { first: false, readable: duplex, writable: true }, b),
  ]
}
