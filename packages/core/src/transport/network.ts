import type { Wire } from './wire.js'

export interface Network {
  /**
   * Listens, until the result is disposed of. Each connection is told to `accept` from the event loop, as it comes. Rejects
   * with the system's error: EADDRINUSE where somebody listens already. Absent address: a fresh one that only this user can
   * reach. Throws TypeError or RangeError for what can be no address.
   */
  listen(address: string | undefined, accept: (wire: NetworkWire) => void): Promise<Listening>
  /** Connects. What goes wrong closes the wire with the system's error (ENOENT, ECONNREFUSED). Throws as `listen` does. */
  dial(address: string): NetworkWire
}

export interface Listening extends AsyncDisposable {
  readonly address: string
}

/** A wire to somebody who has not shown yet who he is. */
export interface NetworkWire extends Wire {
  /** Lifts the limit of 256 bytes that a frame has until then. What breaks it closes the wire with MP_AUTH or MP_DECODE. */
  trust(): void
}
